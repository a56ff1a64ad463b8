"""Crops of many videos with all cores: resumable, a folder is whole or not there, bad videos are named."""

import csv
import functools
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.faces.crop import CropRule, FoundFaces, crop_video, read_track
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.files import atomic_path, inside, write_text
from cefl_bench.parallel.workers import Workers, alone_in

RULE, REPORT, UNFINISHED = "rule.json", "faces.csv", ".unfinished"


def crop_videos(videos: Mapping[str, Path], out: Path, rule: CropRule, num_workers: int) -> dict[str, FoundFaces | str]:
    """Crop every video `name -> path` into the folder `out/name`, and write `out/faces.csv`.

    A folder that is there is finished and kept; what a killed run began is begun anew.

    Returns:
        What was found in each video, or why it cannot be decoded, in the order of `videos`.

    Raises:
        UserError: when `out` holds crops by another rule, or is another run's; or a worker was killed.
    """
    folders = {name: inside(out, name) for name in videos}
    out.mkdir(parents=True, exist_ok=True)
    with alone_in(out, "cropping into", "choose another folder"):
        _claim(out, rule)
        shutil.rmtree(out / UNFINISHED, ignore_errors=True)
        results = {name: read_track(folder) if folder.is_dir() else None for name, folder in folders.items()}
        jobs = [
            (name, videos[name], folders[name], out / UNFINISHED / str(number), rule)
            for number, (name, result) in enumerate(results.items())
            if result is None
        ]
        if jobs:
            warm_up = functools.partial(_detector, rule.detect_size, rule.threshold)
            try:
                with Workers(min(num_workers, len(jobs)), "spawn", warm_up) as workers:
                    results |= workers.spread(_crop_one, jobs, [name for name, *_ in jobs], "cropping")
            finally:
                shutil.rmtree(out / UNFINISHED, ignore_errors=True)
        _write_report(out, rule, results)
    return results


@functools.cache
def _detector(size: int, threshold: float) -> FaceDetector:
    import cv2

    cv2.setNumThreads(1)
    return FaceDetector(size, threshold)


def _crop_one(name: str, path: Path, folder: Path, unfinished: Path, rule: CropRule) -> tuple[str, FoundFaces | str]:
    unfinished.mkdir(parents=True)
    try:
        found = crop_video(path, unfinished, rule, _detector(rule.detect_size, rule.threshold))
        folder.parent.mkdir(parents=True, exist_ok=True)
        os.replace(unfinished, folder)
    except UserError as error:
        return name, str(error)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return name, found


def _claim(out: Path, rule: CropRule) -> None:
    """Note the rule of the crops in `out`, or see that it is the same."""
    wanted = json.dumps(asdict(rule), indent=2) + "\n"
    path = out / RULE
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


def _write_report(out: Path, rule: CropRule, results: Mapping[str, FoundFaces | str]) -> None:
    """`name,path,num_frames,num_faces,policy`, the path below the folder of the corpus; 0 frames where unreadable."""
    with atomic_path(out / REPORT) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "path", "num_frames", "num_faces", "policy"])
        for name, result in results.items():
            frames, faces = (0, 0) if isinstance(result, str) else (result.num_frames, result.num_faces)
            policy = rule.policy if faces else "full-frame"
            writer.writerow([name, f"{out.name}/{name}", frames, faces, policy if frames else "unreadable"])


def summary(results: Mapping[str, FoundFaces | str], policy: str) -> list[str]:
    """Lines for people: how many videos and frames, how many of them without a face, and which videos have none."""
    found = {name: result for name, result in results.items() if not isinstance(result, str)}
    frames = sum(result.num_frames for result in found.values())
    faces = sum(result.num_faces for result in found.values())
    empty = [name for name, result in found.items() if not result.num_faces]
    of_empty = sum(found[name].num_frames for name in empty)
    lines = [
        ("videos", len(results)),
        ("  that cannot be decoded", len(results) - len(found)),
        ("  without any face (full frames)", len(empty)),
        ("frames", frames),
        ("  with the face", faces),
        (f"  without it, policy {policy}", frames - faces - of_empty),
        ("  of videos without any face", of_empty),
    ]
    worst = sorted((result.num_faces / result.num_frames, name) for name, result in found.items() if result.num_faces)
    return [
        *(f"{title:<34}{number:>9,}" for title, number in lines),
        *(f"{share:.0%} of the frames show the face: {name}" for share, name in worst[:10] if share < 0.5),
        *(f"no face: {name}" for name in empty),
    ]
