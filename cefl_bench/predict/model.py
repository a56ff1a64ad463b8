"""A model out of a checkpoint: the pipeline, the preprocessing and the network of its own tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from cefl_bench.config import classes_of, load_config
from cefl_bench.errors import UserError
from cefl_bench.faces.crop import CropRule
from cefl_bench.functional.protocol import other_frames, protocol_id
from cefl_bench.plain import from_plain, plain
from cefl_bench.predict.about import About, Answers, Chosen
from cefl_bench.predict.network import FramesToScores
from cefl_bench.records import Frames
from cefl_bench.registry import MODELS, TRANSFORMS
from cefl_bench.runs import checkpoints
from cefl_bench.transforms.read import Reader

USUAL_SECONDS = 2.0
"""Length of a window where the corpus does not say how long its videos are."""


class TrainedModel:
    """A `Model` out of a checkpoint, ready for frames of any video.

    Args:
        checkpoint: a .pth or .safetensors file of this toolkit.
        config: needed only where the checkpoint does not know its own.
        device: where the network runs; a GPU where there is one.

    Raises:
        UserError: naming what is wrong with the checkpoint, or what the config does in another way than it.
    """

    def __init__(self, checkpoint: str | Path, config: str | Path | None = None, device: str | None = None) -> None:
        loaded = checkpoints.load(checkpoint)
        meta = checkpoints.meta_of(loaded, checkpoint)
        if config is not None:
            built = load_config(config)
            if meta is not None:
                _check_same_frames(meta["config"], plain(built.to_dict()), checkpoint)
        elif meta is None:
            raise UserError(f"checkpoint {str(checkpoint)!r} does not say what it was trained with: give --config too")
        else:
            built = from_plain({key: value for key, value in meta["config"].items()}, str(checkpoint))
        self.pipeline: Sequence[Mapping[str, Any]] = built.test_dataloader.dataset.pipeline
        if not (self.pipeline and issubclass(self.pipeline[0]["type"], Reader)):
            raise UserError(f"checkpoint {str(checkpoint)!r}: its test pipeline does not begin with a reader of videos")
        self.about = _about(built, meta)
        self.protocol_id = protocol_id(meta["protocol"]) if meta is not None and "protocol" in meta else None
        self._sample = Compose([TRANSFORMS.build(step) for step in self.pipeline[1:]])
        recognizer = MODELS.build(built.model | {"data_preprocessor": built.data_preprocessor})
        checkpoints.fill(recognizer, loaded, checkpoint)
        # the recognizer itself is moved, which tells its preprocessing where the frames go
        recognizer.to(torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))
        self.network = FramesToScores(recognizer).eval()

    def sample(self, frames: Frames) -> Chosen:
        given = {"name": "video", "label": 0, "path": "", "num_frames": len(frames), "rng": None, "frames": frames}
        sample = self._sample(given)
        return Chosen(sample["video"], sample["frame_indices"])

    @torch.inference_mode()
    def classify(self, video: np.ndarray) -> Answers:
        logits, clip_weights = self.network(torch.from_numpy(video))
        return Answers(logits.cpu().numpy(), None if clip_weights is None else clip_weights.cpu().numpy())


def _check_same_frames(trained: Mapping[str, Any], given: Mapping[str, Any], checkpoint: str | Path) -> None:
    """Refuse a config that shows the network other frames or sizes than it was trained with, though its weights fit.

    Raises:
        UserError: naming the first difference.
    """
    for _, line in other_frames(trained, given):
        raise UserError(
            f"checkpoint {str(checkpoint)!r} was trained with another value of {line}: leave the config out, as the "
            "checkpoint knows its own, or give config.py in the folder of its run"
        )


def _about(config: Config, meta: checkpoints.Meta | None) -> About:
    dataset = config.train_dataloader.dataset
    corpus = dataset.type.METAINFO
    known: Mapping[str, Any] = meta or {}
    crops = known.get("protocol", {}).get("data", {}).get("train", {}).get("crops")
    return About(
        method=config.title,
        trained_on=dataset.get("name", corpus["name"]),
        classes=tuple(known.get("classes") or classes_of(dataset)),
        rendered=bool(corpus.get("rendered")),
        seconds=corpus.get("seconds", USUAL_SECONDS),
        frame_size=config.test_dataloader.dataset.pipeline[0]["size"],
        crop=_crop_rule(crops, corpus),
        temperature=known.get("calibration", {}).get("temperature"),
    )


def _crop_rule(crops: Any, corpus: Mapping[str, Any]) -> CropRule:
    """The rule that the training faces were cut out by; for crops of others, the one that comes nearest."""
    if isinstance(crops, Mapping) and crops:
        known = {key: value for key, value in crops.items() if key in CropRule.__dataclass_fields__}
        try:
            return msgspec.convert(known, CropRule)
        except msgspec.ValidationError as error:
            raise UserError(f"the checkpoint says of its crops what no rule of crops is ({error})") from None
    return CropRule(margin=corpus.get("face_margin", CropRule.margin))
