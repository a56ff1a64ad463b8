"""Checks of the lists alone: are they read, complete, in the official order, and apart?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.functional.protocol import difference
from cefl_bench.plain import plain


def read(examination: Examination) -> Iterator[Finding]:
    """Whatever the adapter refuses, and what it leaves out."""
    refusals = examination.listing.refusals
    if refusals and all(" is not at " in reason for reason in refusals) and not examination.listing.splits:
        # the corpus is not there: one refusal says it, the others differ in the list that they miss
        first, *_ = refusals
        refusals = {first: [place for places in refusals.values() for place in places]}
    for reason, places in refusals.items():
        yield Finding("error", reason, [f"fold {fold} {split}" for fold, split in places])
    for note in examination.listing.notes:
        yield Finding("note", note)


def official_counts(examination: Examination) -> Iterator[Finding]:
    """Test videos of every fold, videos of the corpus, and videos of every class, against the official numbers."""
    listing = examination.listing
    advice = "scores on other videos than the official ones cannot be compared: find the missing ones, or the copies"
    wrong = [
        f"fold {fold}: {split.num_clips} ({split.official_clips})"
        for (fold, _), split in listing.splits.items()
        if split.official_clips not in (None, split.num_clips)
    ]
    if wrong:
        yield Finding("error", "folds with another number of test videos than the official one", wrong, advice)
    if listing.refusals:  # what could be read of the lists is not the corpus
        return
    official = listing.meta["num_clips"]
    if official is None:
        yield Finding("unknown", f"{len(listing.clips)} videos; there is no official number")
    elif len(listing.clips) != official:
        yield Finding("warning", f"{len(listing.clips)} videos, officially {official}", advice=advice)
    for which, counts in listing.meta.get("class_counts", {}).items():
        yield from _class_counts(examination, which, counts)


def _class_counts(examination: Examination, which: str, official: Sequence[int]) -> Iterator[Finding]:
    listing = examination.listing
    clips = [clip for clip in listing.clips if which == "all" or any(split == which for _, split in clip.labels)]
    labels = Counter(clip.label for clip in clips)
    here = [labels[label] for label in range(len(official))]
    differences = [count - wanted for count, wanted in zip(here, official, strict=True)]
    tests = listing.meta.get("num_test_clips") or (0,)
    # official counts may be of the test videos in which a face was found
    without_face = sum(differences) == tests[0] - sum(official) and min(differences) >= 0 and which == "test"
    if not any(differences) or without_face:
        return
    classes = listing.meta["classes"]
    said = ", ".join(f"{name} {count} ({wanted})" for name, count, wanted in zip(classes, here, official, strict=True))
    if sorted(here) == sorted(official):
        text = f"the classes are in another order than the official one (official counts in brackets): {said}"
        yield Finding("error", text, advice="these lists count the classes in another order: get the official ones")
    else:
        where = "" if which == "all" else f" in {which}"
        yield Finding("warning", f"videos by class{where}, official counts in brackets: {said}")


def classes(examination: Examination) -> Iterator[Finding]:
    """Every class has videos on both sides of every fold, and the model has an output for each."""
    listing = examination.listing
    names = listing.meta["classes"] or examination.config["test_dataloader"].dataset.get("classes", ())
    outputs = examination.config.model.head.get("num_classes")
    if listing.splits and outputs != len(names):
        yield Finding("error", f"model.head.num_classes is {outputs}: expected {len(names)}: set it in the config")
    for split, severity, what in (
        ("train", "error", "it cannot be learnt: add videos, or take it out of the classes"),
        ("test", "warning", "the unweighted average recall of that fold is over the other classes"),
    ):
        empty = [
            f"{names[label]} (fold {fold})"
            for (fold, side), found in listing.splits.items()
            for label, count in enumerate(found.class_counts)
            if side == split and not count
        ]
        if empty:
            yield Finding(severity, f"classes without a {split} video", empty, what)


def labels(examination: Examination) -> Iterator[Finding]:
    """A video has one label, in whichever list it stands."""
    listing = examination.listing
    if examination.config["train_dataloader"].dataset.get("shuffle_labels"):
        yield Finding("note", "training labels are shuffled, as the config asks: scores must be at chance")
        return
    several = [clip.name for clip in listing.clips if len(set(clip.labels.values())) > 1]
    if several:
        yield Finding("error", "videos with different labels in different lists", several, "correct the lists")


def folds(examination: Examination) -> Iterator[Finding]:
    """In cross-validation, every video is a test video once."""
    listing = examination.listing
    if not listing.complete or len(listing.folds) == 1:
        return
    times = {clip.name: sum(split == "test" for _, split in clip.labels) for clip in listing.clips}
    if twice := [name for name, count in times.items() if count > 1]:
        yield Finding("warning", "test videos in more than one fold, counted twice in an average", twice)
    if never := [name for name, count in times.items() if not count]:
        yield Finding("note", "test videos in no fold", never)


def overlap(examination: Examination) -> Iterator[Finding]:
    """No name stands in training and in test of the same fold."""
    listing = examination.listing
    for fold in listing.folds:
        train, test = ({clip.name for clip in listing.of((fold, split))} for split in ("train", "test"))
        if both := sorted(train & test):
            yield Finding("error", f"fold {fold}: in training and in test", both, "take them out of one of the lists")


def subjects(examination: Examination) -> Iterator[Finding]:
    """Nobody is in training and in test of the same fold."""
    listing = examination.listing
    if listing.clips and not any(clip.subject for clip in listing.clips):
        yield Finding("unknown", "the corpus does not say who is in which video")
    for fold in listing.folds:
        train, test = ({clip.subject for clip in listing.of((fold, split))} - {None} for split in ("train", "test"))
        if both := sorted(train & test):
            text = f"fold {fold}: subjects in training and in test"
            yield Finding("error", text, both, "put all videos of a subject on one side")


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
            "the validation videos are the test videos: best_test is chosen on the test set, last is the honest number",
        )
