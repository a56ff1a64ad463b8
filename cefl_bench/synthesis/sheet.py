"""A contact sheet: what the corpus looks like, from its own decoded frames."""

import io
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.synthesis.corpus import Corpus
from cefl_bench.synthesis.expression import CLASSES
from cefl_bench.synthesis.intensity import apex_of
from cefl_bench.synthesis.plan import VideoPlan

PEOPLE, STRIP = 6, 14  # rows of the table, and frames of the strip below it


def write_sheet(corpus: Corpus, path: Path) -> None:
    """Write a PNG of 160 colours: each emotion at its apex for several people, one video's frames and its intensity.

    Raises:
        UserError: when the corpus is not complete or not the one asked for, or the file cannot be written.
    """
    from PIL import Image

    if path.suffix != ".png":
        raise UserError(f"a sheet is a .png file: got {str(path)!r}")
    if not corpus.is_complete():
        raise UserError(
            f"no complete corpus in {str(corpus.root)!r}: render it first, by the same command less --sheet"
        )
    corpus.claim()
    picture = Image.open(_figure(corpus)).convert("RGB").quantize(160, dither=Image.Dither.NONE)
    try:
        with atomic_path(path) as temporary:
            picture.save(temporary, optimize=True)
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from None


def decode(path: Path) -> np.ndarray:
    """All frames of a video, (F, H, W, 3) uint8."""
    import av

    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def _figure(corpus: Corpus) -> io.BytesIO:
    import matplotlib.pyplot as plt

    plans = corpus.videos()
    clearest = _clearest(plans)
    strip = next(plan for (_, label), plan in reversed(clearest.items()) if label == "surprise")
    intensities = strip.expression()[1]
    figure, axes = plt.subplots(3, 1, figsize=(9, 10.2), height_ratios=(6, 0.66, 0.8), layout="constrained")
    axes[0].imshow(_table(corpus, clearest))
    axes[0].set_xticks([(column + 0.5) * 112 for column in range(len(CLASSES))], CLASSES)
    axes[0].xaxis.tick_top()
    axes[0].set_title(f"synthetic faces, preset {corpus.preset}, seed {corpus.seed}: the middle of the apex")
    frames = decode(corpus.path_of(strip))
    shown = np.linspace(0, len(frames) - 1, STRIP).round().astype(int)
    axes[1].imshow(np.concatenate(frames[shown], axis=1))
    axes[1].set_title(f"one video, {strip.name}: {STRIP} of its {len(frames)} frames, and the intensity of each")
    for ax in axes[:2]:
        ax.set_yticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[1].set_xticks([])
    axes[2].plot(intensities, color="black")
    start, end = apex_of(intensities)
    axes[2].axvspan(start - 0.5, end - 0.5, color="orange", alpha=0.4, label="apex")
    axes[2].set(xlim=(-1, len(frames)), ylim=(0, 1), xlabel="frame", ylabel="intensity")
    axes[2].legend(loc="upper right")
    file = io.BytesIO()
    figure.savefig(file, dpi=100)
    plt.close(figure)
    file.seek(0)
    return file


def _clearest(plans: list[VideoPlan]) -> dict[tuple[int, str], VideoPlan]:
    """(subject, label) -> of that subject's videos with the label, the one with the highest peak."""
    ranked = sorted(plans, key=lambda plan: plan.expression()[1].max())
    return {(plan.subject, plan.label): plan for plan in ranked}


def _table(corpus: Corpus, clearest: dict[tuple[int, str], VideoPlan]) -> np.ndarray:
    """The mosaic: a row per person, a column per class; a cell without a video stays grey."""
    subjects = sorted({subject for subject, _ in clearest})
    rows = []
    for subject in subjects[:: max(1, len(subjects) // PEOPLE)][:PEOPLE]:
        cells = [np.full((112, 112, 3), 128, np.uint8)] * len(CLASSES)
        for column, label in enumerate(CLASSES):
            if plan := clearest.get((subject, label)):
                start, end = apex_of(plan.expression()[1]) or (0, plan.num_frames)
                cells[column] = decode(corpus.path_of(plan))[(start + end) // 2]
        rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)
