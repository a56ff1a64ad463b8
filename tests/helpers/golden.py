"""What every method on every corpus resolves to: golden values that the way configs are written may not change."""

import hashlib
import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden" / "configs.json"
NAMES = ("method", "title", "track", "config_name", "classes")
"""Fields that name a run and change nothing in it."""


def golden() -> dict[str, dict[str, Any]]:
    """Config name -> its leaf, its `--dataset`, the hash of the resolved config, protocol id, parameters and MACs."""
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def fingerprint(config: dict[str, Any]) -> str:
    """A hash of a resolved config. The widths of a head's hidden layers are not in it: the parameters tell them."""
    kept = {key: value for key, value in config.items() if key not in NAMES}
    head = {key: value for key, value in config["model"]["head"].items() if key != "hidden_dims"}
    kept["model"] = config["model"] | {"head": head}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
