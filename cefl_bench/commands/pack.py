"""Where configs meet packed frames: packs what a config reads, and tells whether a dataset reads packed frames."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from cefl_bench.config import HELD_OUT, LOADERS
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import corpus_of
from cefl_bench.parallel.workers import Workers
from cefl_bench.plain import plain
from cefl_bench.registry import DATASETS, TRANSFORMS
from cefl_bench.sources import identities, video_name
from cefl_bench.store.index import Index, store_folder
from cefl_bench.store.plan import gigabytes
from cefl_bench.store.read import Store, is_intact, open_store
from cefl_bench.store.write import Corpus, pack_videos
from cefl_bench.transforms.read import DECODER, Reader


def pack(config: Config, num_workers: int) -> list[str]:
    """Pack all videos, of all splits and folds, of the corpora that a config names.

    Returns:
        A line for each store: where it is and what is in it.

    Raises:
        UserError: also when all is packed but videos that cannot be read; those are named on the way.
    """
    lines, unreadable = [], []
    for reader, root, corpus in _corpora(config):
        folder = store_folder(root, reader.key)
        blank = Index(reader.key, reader.size, DECODER)
        index = pack_videos(folder, corpus, blank, num_workers)
        packed = [index.videos[name].num_frames for name in corpus.entries if name in index.videos]
        num_bytes = sum(packed) * reader.size**2 * 3
        lines.append(f"{folder}: {len(packed)} videos, {sum(packed)} frames, {gigabytes(num_bytes)}")
        unreadable += [reason for name, reason in index.unreadable.items() if name in corpus.entries]
    if unreadable:
        print("\n".join([*lines, *unreadable]), flush=True)
        raise UserError(
            f"{len(unreadable)} videos could not be read, all others are packed; training will stop at them, or leave "
            "them out with --cfg-options corpus.on_error=skip, as it does without packed frames; mend them and run the "
            "same command again"
        )
    return lines


def verify(config: Config, num_workers: int) -> list[str]:
    """Compare every packed frame with its checksum, and every video with what was packed.

    Raises:
        UserError: naming the damaged files.
    """
    lines = []
    for reader, root, corpus in _corpora(config):
        folder = store_folder(root, reader.key)
        store = open_store(folder)
        if store is None:
            raise UserError(f"there are no packed frames in {folder}: tools/pack.py without --verify makes them")
        store.check_sources(list(corpus.entries.values()), list(corpus.identities.values()), DECODER)
        videos = store.index.videos
        jobs = [(*store.place(video), video.crc32) for video in videos.values()]
        with Workers(num_workers) as workers:
            intact = workers.spread(is_intact, jobs, list(videos), "verifying")
        damaged = [(job[0], name) for job, name, good in zip(jobs, videos, intact, strict=True) if not good]
        if damaged:
            raise UserError(
                f"packed frames {', '.join(sorted({str(path) for path, _ in damaged}))}: {len(damaged)} videos are "
                f"damaged, such as {damaged[0][1]}: delete the folder {folder} and run tools/pack.py again"
            )
        lines.append(f"{folder}: {len(videos)} videos are intact")
    return lines


def check_readers(loader: str, pipeline: Sequence[Any]) -> None:
    """Refuse a pipeline, of configs or of transforms, that does not begin with the one reader of its videos."""
    kinds = [step["type"] if isinstance(step, Mapping) else type(step) for step in pipeline]
    places = [place for place, kind in enumerate(kinds) if issubclass(kind, Reader)]
    if places != [0]:
        raise UserError(
            f"{loader}.dataset.pipeline has {len(places)} readers: expected one, and that first, such as ReadAny"
        )


def store_of(dataset: VideoDataset) -> Store | None:
    """The store that a dataset's frames come from; None where they are decoded."""
    stores = (step.store(dataset.data_root) for step in dataset.pipeline.transforms if isinstance(step, Reader))
    return next(stores, None)


def check_store(dataset: VideoDataset) -> None:
    """Refuse packed frames that are not what decoding the dataset's videos would give.

    Here, once, because looking at every video in every worker would cost what packing saves.
    """
    if store := store_of(dataset):
        store.check_sources(dataset.entries(), dataset.identities, DECODER)


def decode_always(config: Config) -> None:
    """Let every loader of a config decode, even if packed frames exist."""
    for loader in (name for name in (*LOADERS, HELD_OUT) if name in config):
        for step in config[loader].dataset.pipeline:
            if issubclass(step.type, Reader):
                step.packed = False


def _corpora(config: Config) -> Iterator[tuple[Reader, Path, Corpus]]:
    """What the loaders read, each once: the reader, the data root, and the videos of all splits and folds."""
    seen = []
    for loader in LOADERS:
        dataset = config[loader].dataset
        for choice in ("holdout", "classes_as", "label_map"):  # all videos are packed, whichever this config reads
            dataset.pop(choice, None)
        check_readers(loader, dataset.pipeline)
        reader: Reader = TRANSFORMS.build(dataset.pipeline[0])
        asked = (reader.key, dataset.data_root, corpus_of(plain(dataset)))
        if asked in seen:
            continue
        seen.append(asked)
        videos: VideoDataset = DATASETS.build(dataset)
        root = Path(videos.data_root)
        entries: dict[str, Mapping[str, Any]] = {}
        for fold in range(1, videos.METAINFO["num_folds"] + 1):
            for split in ("train", "test"):
                videos.fold, videos.split = fold, split  # one dataset, because building one takes mmengine a while
                for entry in videos.load_data_list():
                    needed: dict[str, Any] = {
                        key: entry[key] for key in ("path", "num_frames", "images") if key in entry
                    }
                    entries[video_name(root, entry)] = needed
        found = dict(zip(entries, identities(root, list(entries.values())), strict=True))
        yield reader, root, Corpus(entries, found, reader.decode)
