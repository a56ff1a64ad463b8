"""The transformer over snippets of EST, which also learns to tell in which order they were shuffled.

Liu et al., Expression Snippet Transformer for Robust Video-based Facial Expression Recognition, Pattern Recognition
138 (2023), https://arxiv.org/abs/2109.08409

Behind `ClipFeatureEncoder(variant="cosine")` it is the whole of EST; a clip is what the paper calls a snippet.

Where we depart from the paper: nowhere in the layers, which are those of the network that its authors released. With
other than seven clips the orders are rotations, up to ten, since ten orders are published for seven clips alone.

Where we depart from the released code: that one shuffles the frames as they are read, and the positions with them. Then
the transformer finds the same in any order, and the class scores are the same. So here only what tells the order sees
the clips shuffled, as features. A training batch of one video, of which BatchNorm has no statistics, is normed by those
of the batches before; theirs fails.
"""

import torch
import torch.nn.functional as F
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.layers.video_tokens import sinusoid_table
from cefl_bench.registry import MODELS

MAX_ORDERS = 10
ORDERS_OF_7 = (
    (0, 4, 3, 2, 6, 1, 5),
    (5, 3, 1, 6, 4, 0, 2),
    (0, 4, 3, 5, 2, 6, 1),
    (5, 4, 3, 2, 1, 0, 6),
    (5, 1, 2, 4, 0, 6, 3),
    (0, 5, 2, 6, 4, 1, 3),
    (3, 1, 5, 0, 6, 2, 4),
    (2, 3, 0, 4, 1, 6, 5),
    (5, 0, 4, 1, 3, 2, 6),
    (0, 3, 2, 6, 4, 5, 1),
)
"""The orders of seven snippets that the authors' code draws from; any two differ in three places or more."""


@MODELS.register_module()
class SnippetTransformer(Aggregator):
    """(B, N, D) -> (B, D): one learned query, answered by a transformer that has seen all clips at their positions.

    In training it adds `loss_order`, the cross-entropy of telling which of the known orders a video's clips were
    shuffled into, from their features and the answer.

    Args:
        num_clips: N, at least 2.
        num_layers: of the encoder, and of the decoder.
        mlp_dim: hidden width of their MLPs.
        order_weight: factor of the loss; 0 leaves it out.
    """

    tiny = dict(num_clips=3, num_layers=1, mlp_dim=32)

    def __init__(
        self,
        in_dim: int,
        num_clips: int = 7,
        num_layers: int = 3,
        num_heads: int = 4,
        mlp_dim: int = 2048,
        dropout: float = 0.1,
        order_weight: float = 0.1428,
    ) -> None:
        super().__init__(in_dim)
        if num_clips < 2:
            raise UserError(f"SnippetTransformer: num_clips is {num_clips}: expected at least 2, which have an order")
        if num_heads < 1 or in_dim % num_heads or in_dim % 2:
            raise UserError(
                f"SnippetTransformer: num_heads is {num_heads}, and the backbone's feature has {in_dim} values: "
                "expected an even multiple of num_heads"
            )
        self.num_clips, self.order_weight = num_clips, order_weight
        encoder_layer = nn.TransformerEncoderLayer(in_dim, num_heads, mlp_dim, dropout, batch_first=True)
        decoder_layer = nn.TransformerDecoderLayer(in_dim, num_heads, mlp_dim, dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(
            encoder_layer, num_layers, nn.LayerNorm(in_dim), enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(decoder_layer, num_layers, nn.LayerNorm(in_dim))
        self.query = nn.Parameter(torch.empty(1, 1, in_dim))
        self.order_head: nn.Module | None = None
        if order_weight:
            orders = known_orders(num_clips)
            self.register_buffer("orders", torch.tensor(orders), persistent=False)
            self.order_head = _order_head(num_clips * in_dim, 4 * in_dim, in_dim, len(orders))
        self.init_weights()

    def init_weights(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_uniform_(parameter)

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        batch, num_clips, dim = feature_BND.shape
        if num_clips != self.num_clips:
            raise UserError(
                f"SnippetTransformer is built for {self.num_clips} clips and got {num_clips}: set "
                "model.aggregator.num_clips"
            )
        position_ND = sinusoid_table(num_clips, dim, feature_BND.device).to(self.query.dtype)
        answer_BD = self.decoder(self.query.expand(batch, -1, -1), self.encoder(feature_BND + position_ND))[:, 0]
        if self.training:
            self.seen, self.answer = feature_BND.detach(), answer_BD
        return answer_BD, None

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.order_head is None:
            return {}
        batch = len(label_B)
        order_B = torch.randint(len(self.orders), (batch,), device=self.seen.device)
        shuffled_BND = self.seen[torch.arange(batch, device=order_B.device)[:, None], self.orders[order_B]]
        self.order_head.train(batch > 1)
        score_BO = self.order_head((shuffled_BND + self.answer.unsqueeze(1)).flatten(1))
        return {"loss_order": self.order_weight * F.cross_entropy(score_BO, order_B)}


def known_orders(num_clips: int) -> list[tuple[int, ...]]:
    """The orders that clips are shuffled into; any two differ in at least three places, or in all of fewer clips."""
    if num_clips == len(ORDERS_OF_7[0]):
        return list(ORDERS_OF_7)
    places = tuple(range(num_clips))
    return [places[start:] + places[:start] for start in places[:MAX_ORDERS]]


def _order_head(in_dim: int, wide_dim: int, dim: int, num_orders: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(in_dim, wide_dim),
        nn.BatchNorm1d(wide_dim),
        nn.ReLU(inplace=True),
        nn.Linear(wide_dim, dim),
        nn.BatchNorm1d(dim),
        nn.ReLU(inplace=True),
        nn.Linear(dim, num_orders),
    )
