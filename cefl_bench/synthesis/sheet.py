"""A contact sheet: what the corpus looks like, from its own decoded frames."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.synthesis.corpus import Corpus
from cefl_bench.synthesis.decoded import decode
from cefl_bench.synthesis.distractors import draw_distractors
from cefl_bench.synthesis.expression import CLASSES
from cefl_bench.synthesis.intensity import apex_of
from cefl_bench.synthesis.plan import SIZE, VideoPlan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PEOPLE, NUM_STRIP_FRAMES, NUM_COLOURS = 6, 14, 256


def write_sheet(corpus: Corpus, path: Path) -> None:
    """Write a small PNG: each emotion at its apex for several people, one video's frames and its intensity.

    Raises:
        UserError: when the corpus is not complete or not the one asked for, or the file cannot be written.
    """
    from PIL import Image

    if path.suffix != ".png":
        raise UserError(f"a sheet is a .png file: got {str(path)!r}")
    if not corpus.is_complete():
        raise UserError(
            f"no complete corpus in {str(corpus.root)!r}: render it first, with the same command without --sheet"
        )
    corpus.claim()
    figure = Image.open(_figure(corpus)).convert("RGB")
    palette = figure.quantize(NUM_COLOURS, kmeans=2)
    picture = figure.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    try:
        with atomic_path(path) as temporary:
            picture.save(temporary, optimize=True)
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from None


def _figure(corpus: Corpus) -> io.BytesIO:
    import matplotlib.pyplot as plt

    clearest = _clearest(corpus.videos())
    shown_below = next(plan for (_, label), plan in reversed(clearest.items()) if label == "surprise")
    figure, axes = plt.subplots(3, 1, figsize=(9, 10.2), height_ratios=(6, 0.66, 0.8), layout="constrained")
    axes[0].imshow(_table(corpus, clearest))
    axes[0].set_xticks([(column + 0.5) * SIZE for column in range(len(CLASSES))], CLASSES)
    axes[0].xaxis.tick_top()
    axes[0].set_title(f"synthetic faces, preset {corpus.preset}, seed {corpus.seed}: the middle of the apex")
    _show_video(axes[1], axes[2], shown_below, decode(corpus.path_of(shown_below)))
    for ax in axes[:2]:
        ax.set_yticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, dpi=100)
    plt.close(figure)
    file.seek(0)
    return file


def _show_video(strip: "Axes", curve: "Axes", plan: VideoPlan, frames: np.ndarray) -> None:
    """Some of the frames (F, H, W, 3) of a video beside each other, and the intensity of all."""
    shown = np.linspace(0, len(frames) - 1, NUM_STRIP_FRAMES).round().astype(int)
    strip.imshow(np.concatenate(frames[shown], axis=1))
    strip.set_title(f"one video, {plan.name}: {len(shown)} of its {len(frames)} frames, and the intensity of each")
    strip.set_xticks([])
    intensities = plan.expression()[1]
    curve.plot(intensities, color="black")
    apex = apex_of(intensities)
    if apex:
        curve.axvspan(apex[0] - 0.5, apex[1] - 0.5, color="orange", alpha=0.4, label="apex")
    curve.set(xlim=(-1, len(frames)), ylim=(0, 1), xlabel="frame", ylabel="intensity")
    curve.legend(loc="upper right")


def _clearest(plans: list[VideoPlan]) -> dict[tuple[int, str], VideoPlan]:
    """(subject, label) -> of that subject's videos with the label, the one with the highest peak."""
    ranked = sorted(plans, key=lambda plan: plan.expression()[1].max())
    return {(plan.subject, plan.label): plan for plan in ranked}


def _shown_frame(plan: VideoPlan) -> int:
    """The middle of the apex (of a neutral video, of the whole), or the nearest frame of it without a blink."""
    start, end = apex_of(plan.expression()[1]) or (0, plan.num_frames)
    blink = draw_distractors(plan.num_frames, plan.stream("distractors")).blink
    nearest_first = sorted(range(start, end), key=lambda frame: abs(frame - (start + end) // 2))
    return min(nearest_first, key=lambda frame: blink[frame])


def _table(corpus: Corpus, clearest: dict[tuple[int, str], VideoPlan]) -> np.ndarray:
    """The mosaic: a row per person, a column per class; a cell without a video stays grey."""
    subjects = sorted({subject for subject, _ in clearest})
    rows = []
    for subject in subjects[:: max(1, len(subjects) // MAX_PEOPLE)][:MAX_PEOPLE]:
        cells = []
        for label in CLASSES:
            plan = clearest.get((subject, label))
            if plan is None:
                cells.append(np.full((SIZE, SIZE, 3), 128, np.uint8))
            else:
                cells.append(decode(corpus.path_of(plan))[_shown_frame(plan)])
        rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)
