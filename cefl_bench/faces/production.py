"""Crops of many videos with all cores: resumable, a folder is whole or not there, bad videos are named."""

import csv
import functools
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.faces.crop import CropRule, FoundFaces, crop_video, read_track
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.files import atomic_path, inside, write_text
from cefl_bench.parallel.workers import Workers, alone_in
from cefl_bench.sources import CROP_RECORD, CROP_RULE, MISSING, identities
from cefl_bench.tables import csv_cell

REPORT, UNFINISHED = "faces.csv", ".unfinished"
COLUMNS = ("name", "path", "num_frames", "num_faces", "policy", "num_shots", "num_people", "video")


def crop_videos(videos: Mapping[str, Path], out: Path, rule: CropRule, num_workers: int) -> dict[str, FoundFaces | str]:
    """Crop every video `name -> path` into the folder `out/name`, and write `out/faces.csv`.

    A folder that is there is kept where it was made of this very video, or where the video is gone meanwhile; what a
    killed run began is begun anew.

    Returns:
        What was found in each video, or why it cannot be decoded, in the order of `videos`.

    Raises:
        UserError: when `out` holds crops by another rule, cannot be written, or is another run's; or a worker was
            killed.
    """
    folders = {name: inside(out, name) for name in videos}
    _check_names(folders, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with alone_in(out, "cropping into", "choose another folder"):
            _claim(out, rule)
            shutil.rmtree(out / UNFINISHED, ignore_errors=True)
            results = _crop_all(videos, folders, out / UNFINISHED, rule, num_workers)
            _write_report(out, rule, videos, results)
    except OSError as error:
        raise UserError(
            f"cannot write crops into {out} ({error.strerror or error}): mend that and run the same command again; "
            "what is done is kept"
        ) from None
    return results


def _crop_all(
    videos: Mapping[str, Path], folders: Mapping[str, Path], unfinished: Path, rule: CropRule, num_workers: int
) -> dict[str, FoundFaces | str]:
    root = unfinished.parents[1].absolute()
    found = identities(root, [{"path": str(path.absolute())} for path in videos.values()])
    results: dict[str, FoundFaces | str] = {}
    jobs = []
    for number, (name, identity) in enumerate(zip(videos, found, strict=True)):
        record = json.dumps({"rule": rule.as_dict(), "video": identity}, indent=1) + "\n"
        if _is_done(folders[name], record, gone=identity == MISSING):
            results[name] = read_track(folders[name])
        else:
            jobs.append((name, videos[name], folders[name], unfinished / str(number), rule, record))
    if jobs:
        warm_up = functools.partial(_detector, rule.detect_size, rule.threshold)
        try:
            with Workers(min(num_workers, len(jobs)), "spawn", warm_up) as workers:
                results |= workers.spread(_crop_one, jobs, [job[0] for job in jobs], "cropping")
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return {name: results[name] for name in videos}


def _is_done(folder: Path, record: str, gone: bool) -> bool:
    """Whether a folder holds the crops of the video as it is now, or at least of one that is gone."""
    path = folder / CROP_RECORD
    return path.is_file() and (gone or path.read_text(encoding="utf-8") == record)


def _check_names(folders: Mapping[str, Path], out: Path) -> None:
    """Refuse names that would put the crops of one video among those of another, or where nobody looks for them."""
    owner: dict[Path, str] = {}
    for name, folder in folders.items():
        parts = folder.relative_to(out).parts
        if not parts or parts[0] in (CROP_RULE, REPORT) or any(part.startswith(".") for part in parts):
            raise UserError(
                f"video {name!r}: its crops cannot lie in {str(folder)!r}, which is hidden or holds something else: "
                "rename the video"
            )
        if folder in owner:
            raise UserError(
                f"videos {owner[folder]!r} and {name!r}: the crops of both would lie in {folder}; rename one of them"
            )
        owner[folder] = name
    for folder, name in owner.items():
        for parent in folder.parents:
            if parent in owner:
                raise UserError(
                    f"videos {owner[parent]!r} and {name!r}: the crops of one would lie among those of the other; "
                    "rename one of them"
                )


@functools.cache
def _detector(size: int, threshold: float) -> FaceDetector:
    import cv2

    cv2.setNumThreads(1)
    return FaceDetector(size, threshold)


def _crop_one(
    name: str, path: Path, folder: Path, unfinished: Path, rule: CropRule, record: str
) -> tuple[str, FoundFaces | str]:
    unfinished.mkdir(parents=True)
    try:
        found = crop_video(path, unfinished, rule, _detector(rule.detect_size, rule.threshold))
        (unfinished / CROP_RECORD).write_text(record, encoding="utf-8")
        if folder.exists():  # of another video, or half removed: without a record it is not taken for done
            (folder / CROP_RECORD).unlink(missing_ok=True)
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        os.replace(unfinished, folder)
    except UserError as error:
        return name, str(error)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return name, found


def _claim(out: Path, rule: CropRule) -> None:
    """Note the rule of the crops in `out`, or see that it is the same."""
    wanted = json.dumps(rule.as_dict(), indent=2) + "\n"
    path = out / CROP_RULE
    if not path.exists():
        if strange := sorted(entry.name for entry in out.iterdir() if entry.name != ".lock"):
            raise UserError(f"{out} holds something else, such as {strange[0]!r}: expected a new folder")
        write_text(path, wanted)
    elif (there := path.read_text(encoding="utf-8")) != wanted:
        differing = sorted(set(wanted.splitlines()) - set(there.splitlines()))
        raise UserError(
            f"{out} holds crops by another rule (now {' '.join(line.strip(' ,') for line in differing)}): expected "
            f"what {path} says; choose another --name, or remove the folder"
        )


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.absolute(), folder.absolute())


def _write_report(
    out: Path, rule: CropRule, videos: Mapping[str, Path], results: Mapping[str, FoundFaces | str]
) -> None:
    """Write `faces.csv`; its paths start at the folder of the corpus. Unreadable videos have 0 frames."""
    with atomic_path(out / REPORT) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, result in results.items():
            path, video = csv_cell(f"{out.name}/{name}"), csv_cell(_relative(videos[name], out.parent))
            if isinstance(result, str):
                writer.writerow([csv_cell(name), path, 0, 0, "unreadable", 0, 0, video])
                continue
            policy = rule.policy if result.num_faces else "full-frame"
            counts = [result.num_shots, result.num_people]
            writer.writerow([csv_cell(name), path, result.num_frames, result.num_faces, policy, *counts, video])


def summary(results: Mapping[str, FoundFaces | str], policy: str) -> list[str]:
    """Lines for people: how many videos and frames, how many of them without a face, and which videos have none."""
    found = {name: result for name, result in results.items() if not isinstance(result, str)}
    frames = sum(result.num_frames for result in found.values())
    faces = sum(result.num_faces for result in found.values())
    empty = [name for name, result in found.items() if not result.num_faces]
    changing = [name for name, result in found.items() if result.num_people > 1]
    of_empty = sum(found[name].num_frames for name in empty)
    lines = [
        ("videos", len(results)),
        ("  that cannot be decoded", len(results) - len(found)),
        ("  without any face (full frames)", len(empty)),
        ("frames", frames),
        ("  with the face", faces),
        (f"  without it, policy {policy}", frames - faces - of_empty),
        ("  of videos without any face", of_empty),
        ("videos of more than one shot", sum(result.num_shots > 1 for result in found.values())),
        ("  in which the person changes", len(changing)),
    ]
    worst = sorted((result.num_faces / result.num_frames, name) for name, result in found.items() if result.num_faces)
    return [
        *(f"{title:<34}{number:>9,}" for title, number in lines),
        *(f"{share:.0%} of the frames show the face: {name}" for share, name in worst[:10] if share < 0.5),
        *(f"no face: {name}" for name in empty),
        *(f"{found[name].num_people} people, one after the other: {name}" for name in changing),
    ]
