"""What is known of a run before it starts: the fields of a `Result` that no training changes."""

import sys
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from cefl_bench.config import track_of
from cefl_bench.cost.flops import model_cost
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.environment import environment
from cefl_bench.functional.protocol import protocol_id, protocol_of
from cefl_bench.packing import store_of


def known_before(
    config: Config, config_plain: dict[str, Any], name: str, datasets: Mapping[str, VideoDataset]
) -> dict[str, Any]:
    """The facts of a run of the config called `name` on these datasets (`test`, and `train` when training)."""
    test_set = datasets["test"]
    meta = test_set.METAINFO
    protocol = protocol_of(config_plain | {"track": track_of(name)})
    return {
        "config_name": name,
        "config": config_plain,
        "command": " ".join(["python", *sys.argv]),
        "method": name.split(f"_{meta['key']}")[0],
        "dataset": meta["name"],
        "classes": list(meta["classes"]),
        "track": track_of(name),
        "protocol_id": protocol_id(protocol),
        "protocol": protocol,
        "fold": test_set.fold,
        "seed": config.randomness.seed,
        "clips": {"official": test_set.num_official_clips()},
        "cost": model_cost(
            config.model | {"data_preprocessor": config.data_preprocessor}, video_shape(config, test_set)
        ),
        "environment": environment(),
        "data": {"packed": all(store_of(dataset) is not None for dataset in datasets.values())},
        "data_fingerprint": {split: dataset.fingerprint() for split, dataset in datasets.items()},
    }


def video_shape(config: Config, dataset: VideoDataset) -> tuple[int, int, int, int, int]:
    """(N, C, T, H, W) of one video as the network takes it, from the first video that can be read."""
    clips, frames, _, _, channels = dataset[0]["video"].shape
    size = config.data_preprocessor["size"]
    return clips, channels, frames, size, size
