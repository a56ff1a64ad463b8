"""The frames that everybody shares: what a rendering must decode to, bit for bit, on every machine."""

import hashlib
from collections.abc import Sequence

# (preset, seed) -> `combined` of the checked videos, as generator 2 draws them with the versions of requirements.lock.
STANDARD_FRAMES_SHA256 = {
    ("tiny", 0): "df26ef1c2e58e55269b690774d6f95c8cfe7a235f1aa3a7ef8aee29a85c638e5",
    ("demo", 0): "7a4b705d7e71369c7622d1fabc7508dcf1882c2136906ffcd2c2ebea9bbda8e5",
    ("full", 0): "885650172122783f87f900e470e372a34d3d4518655a2c15a48efc3bb8515735",
}


def combined(names: Sequence[str], digests: Sequence[str]) -> str:
    """One SHA-256 of the names and the frames of several videos."""
    lines = [f"{name} {digest}\n" for name, digest in zip(names, digests, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def rendering_of(preset: str, seed: int, digest: str) -> str:
    """`standard`, `deviating` or `unlisted`; see `SyntheticCard`."""
    expected = STANDARD_FRAMES_SHA256.get((preset, seed))
    if expected is None:
        return "unlisted"
    return "standard" if digest == expected else "deviating"
