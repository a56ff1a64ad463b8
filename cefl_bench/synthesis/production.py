"""Rendering a corpus with all cores: resumable, and one run per folder."""

from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.parallel.workers import Workers, alone_in
from cefl_bench.synthesis.corpus import Corpus
from cefl_bench.synthesis.decoded import frames_sha256
from cefl_bench.synthesis.plan import VideoPlan
from cefl_bench.synthesis.standard import combined


def produce(corpus: Corpus, num_workers: int) -> None:
    """Render what is missing, hash what the videos decode to, then write the tables. No video is rendered twice.

    Raises:
        UserError: when the folder is another corpus's or another run's, cannot be written, or a worker was killed.
    """
    try:
        corpus.claim()
        with alone_in(corpus.root, "rendering into", "choose another --out"):
            missing = [plan for plan in corpus.videos() if not corpus.path_of(plan).exists()]
            if missing:
                print(
                    f"{len(missing)} of {len(corpus.videos())} videos to render; building the face model ...",
                    flush=True,
                )
                jobs = [(plan, corpus.path_of(plan)) for plan in missing]
                with Workers(num_workers, start="spawn", prepare=_load_head) as workers:
                    workers.spread(_render_one, jobs, [plan.name for plan in missing], "rendering")
            checked = corpus.checked_videos()
            names = [plan.name for plan in checked]
            with Workers(num_workers) as workers:
                digests = workers.spread(
                    frames_sha256, [(corpus.path_of(plan),) for plan in checked], names, "checking"
                )
            corpus.write_tables(combined(names, digests))
    except OSError as error:
        raise UserError(f"cannot write to {str(error.filename or corpus.root)!r}: {error.strerror or error}") from None


def _load_head() -> None:
    from cefl_bench.synthesis.anatomy import load_head

    load_head()


def _render_one(plan: VideoPlan, path: Path) -> None:
    from cefl_bench.synthesis.video import encode, render_video

    video = encode(render_video(plan))
    with atomic_path(path) as temporary:
        temporary.write_bytes(video)
