"""Learning rates that fall with depth, as fine-tuning of transformers has them; no weight decay where it does harm.

Clark et al., ELECTRA, ICLR 2020, appendix A; for images Bao et al., BEiT, ICLR 2022. As the released code of VideoMAE,
MAE-DFER and SVFAP has it: what the pixels meet first changes least.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from cefl_bench.errors import UserError


class LayerDecay(DefaultOptimWrapperConstructor):
    """An `optim_wrapper.constructor`: groups of parameters by their depth, and by whether their weights decay.

    A parameter that lies n layers before the head learns at `layer_decay ** n` times the learning rate. How deep it
    lies, the backbone says (`Backbone.depth_of`); what follows its last block learns at the whole rate. Weights of
    linear layers and convolutions decay; norms, biases, tokens and tables of positions do not.

    A scheduler must name its lowest rate as a share, `eta_min_ratio`: one number would be too high for lower layers.

    Args:
        optim_wrapper_cfg: config of the wrapper and its optimiser.
        paramwise_cfg: `dict(layer_decay=0.75)`; with 1 all learn at the same rate, and any backbone will do.

    Raises:
        UserError: when `paramwise_cfg` is something else, or the backbone does not say how deep its parameters lie.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Mapping[str, Any] | None = None) -> None:
        super().__init__(optim_wrapper_cfg, dict(paramwise_cfg or {}))
        rate = self.paramwise_cfg.get("layer_decay")
        if set(self.paramwise_cfg) != {"layer_decay"} or not _is_share(rate):
            raise UserError(
                f"optim_wrapper.paramwise_cfg is {self.paramwise_cfg}: expected dict(layer_decay=0.75), a number above "
                "0 and up to 1, and nothing else"
            )
        if self.base_lr is None:
            raise UserError("optim_wrapper.optimizer has no lr: expected one, which layer_decay is a share of")
        self.layer_decay = float(rate)

    # mmengine's hook for what its subclasses do otherwise: `params` is filled in place
    def add_params(self, params: list[dict], module: nn.Module, prefix: str = "", is_dcn_module: Any = None) -> None:
        groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
        for depth, decays, parameter in _placed(module, by_depth=self.layer_decay < 1):
            groups.setdefault((depth, decays), []).append(parameter)
        deepest = max((depth for depth, _ in groups), default=0)
        for (depth, decays), parameters in sorted(groups.items(), key=lambda item: item[0]):
            group: dict[str, Any] = {"params": parameters, "lr": self.base_lr * self.layer_decay ** (deepest - depth)}
            params.append(group if decays else group | {"weight_decay": 0.0})


def _placed(model: nn.Module, by_depth: bool) -> list[tuple[int, bool, nn.Parameter]]:
    """Depth of each parameter that learns, whether it decays, and itself. Without a backbone all lie at one depth."""
    backbone: Any = getattr(model, "backbone", None) if by_depth else None
    placed: list[tuple[int | None, bool, nn.Parameter]] = []
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                full = f"{prefix}.{name}".removeprefix(".")
                inside = backbone is not None and full.startswith("backbone.")
                depth = backbone.depth_of(full.removeprefix("backbone.")) if inside else None
                placed.append((depth, _decays(module, name, parameter), parameter))
    last = 1 + max((depth for depth, _, _ in placed if depth is not None), default=-1)
    return [(last if depth is None else depth, decays, parameter) for depth, decays, parameter in placed]


def _decays(module: nn.Module, name: str, parameter: nn.Parameter) -> bool:
    """Whether it is a matrix that features are multiplied by: a norm's is a vector, a token has another name."""
    return parameter.ndim > 1 and "weight" in name and not isinstance(module, nn.Embedding)


def _is_share(value: Any) -> bool:
    try:
        return 0 < msgspec.convert(value, float) <= 1
    except msgspec.ValidationError:
        return False
