"""The usual way to train on frames, to compare with: JPEG by JPEG, transform by transform, in plain PyTorch.

As most released code of the field does it: Pillow decodes every frame of a sample, torchvision transforms one frame
after the other with one draw for all, the network computes in float32, eager and contiguous.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ColorJitter, RandomResizedCrop
from torchvision.transforms import functional as transform

from cefl_bench.compute.network import prepare_network
from cefl_bench.compute.switches import Compute
from cefl_bench.functional.augmentation import Augmentation
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.media.images import frame_files
from cefl_bench.records import Entry
from cefl_bench.registry import MODELS, TRANSFORMS

USUAL = Compute(memory_format="contiguous")


class UsualVideos(Dataset):
    """Index -> video float (N, C, T, size, size) and label; the frames are those that the config's `SampleClips` takes.

    Args:
        entries: videos as folders of images.
        sample: the config of `SampleClips`.
        preprocessor: the config of `VideoPreprocessor`, whose augmentation is done here, frame by frame.
    """

    def __init__(self, entries: Sequence[Entry], sample: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        self.labels = [entry["label"] for entry in entries]
        self.files = [frame_files(Path(entry["path"])) for entry in entries]
        self.sample = TRANSFORMS.build(dict(sample))
        self.size = preprocessor["size"]
        self.mean, self.std = preprocessor.get("mean", (0.0,) * 3), preprocessor.get("std", (1.0,) * 3)
        augment = preprocessor.get("augment")
        self.augment = None if augment is None else Augmentation(**augment)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        files = self.files[index]
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        sampled = self.sample.transform({"frames": files, "rng": rng, "path": str(files[0].parent)})
        indices_NT = sampled["frame_indices"]
        frames = [self._open(files[place]) for place in indices_NT.reshape(-1)]
        tensors = self._augmented(frames) if self.augment is not None else self._resized(frames)
        video = torch.stack([transform.normalize(one, self.mean, self.std) for one in tensors])
        return video.unflatten(0, indices_NT.shape).movedim(2, 1), self.labels[index]

    def _open(self, file: Path) -> Image.Image:
        with Image.open(file) as image:
            return image.convert("RGB")

    def _resized(self, frames: Sequence[Image.Image]) -> list[torch.Tensor]:
        return [transform.to_tensor(transform.resize(frame, [self.size, self.size])) for frame in frames]

    def _augmented(self, frames: Sequence[Image.Image]) -> list[torch.Tensor]:
        augment = self.augment
        assert augment is not None, "or frames are only resized"
        box = RandomResizedCrop.get_params(frames[0], list(augment.crop_scale), list(augment.crop_ratio))
        flipped = torch.rand(()).item() < augment.flip
        jitter = ColorJitter(augment.brightness, augment.contrast, augment.saturation)
        _, brightness, contrast, saturation, _ = ColorJitter.get_params(
            jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue
        )
        tensors = []
        for frame in frames:
            seen = transform.resized_crop(frame, *box, [self.size, self.size])
            if flipped:
                seen = transform.hflip(seen)
            if brightness is not None:
                seen = transform.adjust_brightness(seen, brightness)
            if contrast is not None:
                seen = transform.adjust_contrast(seen, contrast)
            if saturation is not None:
                seen = transform.adjust_saturation(seen, saturation)
            tensors.append(transform.to_tensor(seen))
        return tensors


class UsualTraining:
    """A plain loop: epochs over `UsualVideos`, with the config's model, optimiser and gradient clipping.

    CEFLNet runs its trunk once for every clip and frame position, as its authors' code does.

    Args:
        weights: of the same model, so that both ways start alike.
    """

    def __init__(
        self, config: Config, videos: UsualVideos, weights: Mapping[str, torch.Tensor], device: torch.device
    ) -> None:
        loader = config.train_dataloader
        self.loader: DataLoader = DataLoader(
            videos,
            loader.batch_size,
            shuffle=True,
            num_workers=loader.num_workers,
            persistent_workers=loader.num_workers > 0,
            pin_memory=device.type == "cuda",
        )
        self.device, self.network = device, usual_network(config)
        self.network.load_state_dict(weights)
        self.network.to(device).train()
        settings = copy.deepcopy(config.optim_wrapper) | {"type": OptimWrapper}
        self.optimiser = build_optim_wrapper(self.network, settings)

    def epoch(self) -> float:
        """Train on all videos once. Returns: the mean loss, which is read after every batch, as a progress bar does."""
        losses = []
        for video, label in self.loader:
            inputs, labels = video.to(self.device), label.to(self.device)
            loss, _ = self.network.parse_losses(self.network(inputs, label=labels, mode="loss"))
            self.optimiser.update_params(loss)
            losses.append(loss.item())
        return float(np.mean(losses))


def usual_network(config: Config) -> Any:
    """The config's model, contiguous; its trunk sees one frame position of one clip at a time, where it can."""
    model = copy.deepcopy(config.model)
    if "frame_batches" in getattr(model.backbone.type.__init__, "__annotations__", {}):
        model.backbone.frame_batches = "per_position"
    head = with_class_weights(model.head, [1] * model.head.num_classes)
    network: nn.Module = MODELS.build(model | {"data_preprocessor": config.data_preprocessor, "head": head})
    prepare_network(network, USUAL)
    return network
