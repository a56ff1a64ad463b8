"""What every method on every corpus resolves to: golden values that the way configs are written may not change."""

import hashlib
import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden" / "configs.json"
NAMES = ("method", "title", "track", "config_name", "classes", "departs_from_released_code")
"""Fields that name or describe a run and change nothing in it."""


def golden() -> dict[str, dict[str, Any]]:
    """Config name -> its leaf, its `--dataset`, the hash of the resolved config, protocol id, parameters and MACs."""
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def write_golden() -> None:
    """Make the golden values anew, where the protocol or a config was changed on purpose."""
    from cefl_bench.commands.facts import config_cost
    from cefl_bench.config import load_config
    from cefl_bench.functional.protocol import protocol_id, protocol_of
    from cefl_bench.plain import plain

    lines = []
    for name, entry in golden().items():
        leaf = GOLDEN.parents[2] / "configs" / f"{entry['leaf']}.py"
        config = load_config(leaf, dataset=entry["dataset"])
        resolved, cost = plain(config.to_dict()), config_cost(config)
        entry |= {"config": fingerprint(resolved), "protocol_id": protocol_id(protocol_of(resolved))}
        lines.append(f"  {json.dumps(name)}: {json.dumps(entry | {key: cost[key] for key in ('params', 'macs')})}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def fingerprint(config: dict[str, Any]) -> str:
    """A hash of a resolved config. The widths of a head's hidden layers are not in it: the parameters tell them."""
    kept = {key: value for key, value in config.items() if key not in NAMES}
    head = {key: value for key, value in config["model"]["head"].items() if key != "hidden_dims"}
    kept["model"] = config["model"] | {"head": head}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    write_golden()
