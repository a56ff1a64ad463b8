"""The weights that come with the toolkit: a name in place of the path of a checkpoint."""

from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.files import check_file
from cefl_bench.runs.folder import A_CHECKPOINT, LAST, WEIGHTS, WORK_DIRS

DEMO = "demo"
"""CEFLNet, trained on the rendered faces of `make demo`; its model card lies beside it."""
FOLDER = Path(__file__).parent / "weights"


def is_built_in(checkpoint: str | Path) -> bool:
    """Whether the weights of the toolkit are meant; a file of the same name goes first."""
    return str(checkpoint) == DEMO and not Path(checkpoint).is_file()


def checkpoint_file(checkpoint: str | Path) -> Path:
    """A path, or the name of weights of the toolkit -> the file."""
    return FOLDER / DEMO / WEIGHTS if is_built_in(checkpoint) else Path(checkpoint)


def folder_beside(checkpoint: str | Path) -> Path:
    """Where a tool writes what belongs to a checkpoint: its own folder, and never that of the package."""
    return Path(WORK_DIRS) / DEMO if is_built_in(checkpoint) else Path(checkpoint).parent


def check_checkpoint(checkpoint: str | Path) -> None:
    """Raises: UserError: when no such checkpoint exists, or it is a folder."""
    file = checkpoint_file(checkpoint)
    if file.is_dir():
        inside = [file / name for name in (LAST, WEIGHTS) if (file / name).is_file()]
        remedy = f"name the file in it, {inside[0]}" if inside else f"expected {A_CHECKPOINT[1]}"
        raise UserError(f"checkpoint {str(file)!r} is a folder: {remedy}")
    check_file(file, *A_CHECKPOINT)
