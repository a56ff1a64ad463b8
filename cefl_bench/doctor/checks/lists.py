"""Checks of the lists alone: are they read, complete, in the official order, and apart?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from cefl_bench.doctor.corpus import Place
from cefl_bench.doctor.findings import Examination, Finding, Severity
from cefl_bench.functional.protocol import difference
from cefl_bench.plain import plain

EMPTY_CLASSES: tuple[tuple[str, Severity, str], ...] = (
    ("train", "error", "it cannot be learnt: add videos, or take it out of the classes"),
    ("test", "warning", "the unweighted average recall of that fold is over the other classes"),
)
"""What it means that a class has no video: side, severity, advice."""


def read(examination: Examination) -> Iterator[Finding]:
    """Whatever the adapter refuses, and what it leaves out."""
    refusals = examination.corpus.refusals
    if refusals and all(" is not at " in reason for reason in refusals) and not examination.corpus.splits:
        # the corpus is not there: one refusal says it, the others differ in the list that they miss
        everywhere: list[Place] = []
        for places in refusals.values():
            everywhere += places
        refusals = {next(iter(refusals)): everywhere}
    for reason, places in refusals.items():
        yield Finding("error", reason, [f"fold {place.fold} {place.side}" for place in places])
    for note in examination.corpus.notes:
        yield Finding("note", note)


def official_counts(examination: Examination) -> Iterator[Finding]:
    """Test videos of every fold, videos of the corpus, and videos of every class, against the official numbers."""
    corpus = examination.corpus
    advice = "scores on other videos than the official ones cannot be compared: find the missing ones, or the copies"
    wrong = []
    for place, split in corpus.splits.items():
        if split.official_clips not in (None, split.num_clips):
            wrong.append(f"fold {place.fold}: {split.num_clips} ({split.official_clips})")
    if wrong:
        yield Finding("error", "folds with another number of test videos than the official one", wrong, advice)
    if corpus.refusals:  # what could be read of the lists is not the corpus
        return
    if not corpus.is_whole:
        yield Finding("unknown", f"{len(corpus.clips)} videos; the config does not read the whole corpus")
        return
    official = corpus.meta["num_clips"]
    if official is None:
        yield Finding("unknown", f"{len(corpus.clips)} videos; there is no official number")
    elif len(corpus.clips) != official:
        yield Finding("warning", f"{len(corpus.clips)} videos, officially {official}", advice=advice)
    for which, counts in corpus.meta.get("class_counts", {}).items():
        yield from _class_counts(examination, which, counts)


def _class_counts(examination: Examination, which: str, official: Sequence[int]) -> Iterator[Finding]:
    """Videos of every class.

    Args:
        which: `all`, or the side that the official counts are of.
    """
    corpus = examination.corpus
    labels = Counter(clip.label for clip in corpus.clips if which == "all" or clip.is_in(which))
    here = [labels[label] for label in range(len(official))]
    more = [count - wanted for count, wanted in zip(here, official, strict=True)]
    num_tests = (corpus.meta.get("num_test_clips") or (0,))[0]
    # official counts may be of the test videos in which a face was found
    without_face = which == "test" and min(more) >= 0 and sum(more) == num_tests - sum(official)
    if not any(more) or without_face:
        return
    classes = corpus.meta["classes"]
    said = ", ".join(f"{name} {count} ({wanted})" for name, count, wanted in zip(classes, here, official, strict=True))
    if sorted(here) == sorted(official):
        text = f"the classes are in another order than the official one (official counts in brackets): {said}"
        yield Finding("error", text, advice="these lists count the classes in another order: get the official ones")
    else:
        where = "" if which == "all" else f" in {which}"
        yield Finding("warning", f"videos by class{where}, official counts in brackets: {said}")


def classes(examination: Examination) -> Iterator[Finding]:
    """Every class has videos on both sides of every fold, and the model has an output for each."""
    corpus = examination.corpus
    outputs = examination.config.model.head.get("num_classes")
    if corpus.splits and outputs != len(corpus.classes):
        text = f"model.head.num_classes is {outputs}: expected {len(corpus.classes)}: set it in the config"
        yield Finding("error", text)
    for side, severity, advice in EMPTY_CLASSES:
        empty = []
        for place, split in corpus.splits.items():
            if place.side == side:
                missing = [label for label in sorted(corpus.labels) if not split.class_counts[label]]
                empty += [f"{corpus.classes[label]} (fold {place.fold})" for label in missing]
        if empty:
            yield Finding(severity, f"classes without a {side} video", empty, advice)


def labels(examination: Examination) -> Iterator[Finding]:
    """A video has one label, in whichever list it stands."""
    if examination.config["train_dataloader"].dataset.get("shuffle_labels"):
        yield Finding("note", "training labels are shuffled, as the config asks: scores must be at chance")
        return
    several = [clip.name for clip in examination.corpus.clips if len(set(clip.labels.values())) > 1]
    if several:
        yield Finding("error", "videos with different labels in different lists", several, "correct the lists")


def folds(examination: Examination) -> Iterator[Finding]:
    """In cross-validation, every video is a test video once."""
    corpus = examination.corpus
    if not corpus.all_folds or len(corpus.folds) == 1:
        return
    twice, never = [], []
    for clip in corpus.clips:
        num_tests = sum(place.side == "test" for place in clip.labels)
        if num_tests > 1:
            twice.append(clip.name)
        elif num_tests == 0:
            never.append(clip.name)
    if twice:
        yield Finding("warning", "test videos in more than one fold, counted twice in an average", twice)
    if never:
        yield Finding("note", "test videos in no fold", never)


def overlap(examination: Examination) -> Iterator[Finding]:
    """No name stands in training and in test of the same fold."""
    corpus = examination.corpus
    for fold in corpus.folds:
        train = {clip.name for clip in corpus.of(Place(fold, "train"))}
        test = {clip.name for clip in corpus.of(Place(fold, "test"))}
        both = sorted(train & test)
        if both:
            yield Finding("error", f"fold {fold}: in training and in test", both, "take them out of one of the lists")


def subjects(examination: Examination) -> Iterator[Finding]:
    """Nobody is in training and in test of the same fold."""
    corpus = examination.corpus
    if corpus.clips and not any(clip.subject for clip in corpus.clips):
        yield Finding("unknown", "the corpus does not say who is in which video")
    for fold in corpus.folds:
        train = {clip.subject for clip in corpus.of(Place(fold, "train")) if clip.subject}
        test = {clip.subject for clip in corpus.of(Place(fold, "test")) if clip.subject}
        both = sorted(train & test)
        if both:
            text = f"fold {fold}: subjects in training and in test"
            yield Finding("error", text, both, "put all videos of a subject on one side")


def origins(examination: Examination) -> Iterator[Finding]:
    """No film or recording is in training and in test of the same fold."""
    corpus = examination.corpus
    if not any(clip.origin for clip in corpus.clips):
        if corpus.clips and not any(clip.subject for clip in corpus.clips):
            yield Finding("unknown", "the corpus does not say which film or recording a video is from (--sources)")
        return
    for fold in corpus.folds:
        trained = {clip.origin for clip in corpus.of(Place(fold, "train"))} - {None}
        tested = corpus.of(Place(fold, "test"))
        shared = [clip.name for clip in tested if clip.origin in trained]
        if shared:
            text = f"fold {fold}: {len(shared)} of {len(tested)} test videos share a source with training"
            advice = "these were tested on what was seen in training: --folds by-source is a protocol without"
            yield Finding("warning", text, shared, advice)


def validation(examination: Examination) -> Iterator[Finding]:
    """Says which videos the best epoch is chosen on."""
    val, test = (
        plain(examination.config[loader].dataset.to_dict()) | {"on_error": None, "fold": None}
        for loader in ("val_dataloader", "test_dataloader")
    )
    if changed := difference(val, test):
        yield Finding("error", f"val_dataloader and test_dataloader read different data ({changed[0]}): change both")
    else:
        yield Finding(
            "note",
            "the validation videos are the test videos: best_test is chosen on the test set; compare methods by last",
        )
