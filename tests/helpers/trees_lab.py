"""Small trees of corpora that people acted in front of a camera, in their official layouts."""

from pathlib import Path

from helpers.media import moving_square, place_video, write_csv, write_images, write_lines

CREMAD_EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")


def mmi_session(root: Path, number: int, base: str, emotion: int | None, view: int = 0) -> Path:
    """A session of MMI without its video: session.xml and, where there is an emotion, `<base>.xml`."""
    folder = root / "Sessions" / str(number)
    write_lines(
        folder / "session.xml",
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<session sessionId="{number}">',
            f'  <track type="Video" view="{view}" filename="{base}.avi" />',
            "</session>",
        ],
    )
    if emotion is not None:
        tag = f'<Metatag Name="Emotion" Value="{emotion}" />'
        write_lines(folder / f"{base}.xml", ["<Metadata>", '  <Metatag Name="Coder" Value="1" />', tag, "</Metadata>"])
    return folder


def mmi_tree(root: Path) -> Path:
    """Ten people, six emotions each, and sessions that are no sequence of the protocol."""
    for person in range(1, 11):
        for emotion in range(1, 7):
            base = f"S{person:03d}-{100 + emotion}"
            folder = mmi_session(root, person * 10 + emotion, base, emotion)
            place_video(folder / f"{base}.avi", emotion - 1, num_frames=14)
            if emotion != 6:
                write_lines(
                    folder / f"{base}-oao_aucs.xml",
                    [
                        "<ActionUnits>",
                        *mmi_unit("45", onset=1, apex=2, offset=3),  # a blink
                        *mmi_unit("4", onset=2, apex=6, offset=9),
                        *mmi_unit("12", onset=4, apex=7, offset=11),
                        "</ActionUnits>",
                    ],
                )
    place_video(mmi_session(root, 901, "S001-110", emotion=8) / "S001-110.avi", 0)
    place_video(mmi_session(root, 902, "S001-111", emotion=1, view=1) / "S001-111.avi", 0)
    write_images(mmi_session(root, 903, "S002-112", emotion=2), moving_square(1, 1), name="S002-112.jpg")
    place_video(mmi_session(root, 904, "S003-113", emotion=None) / "S003-113.avi", 0)
    write_csv(root / "folds.csv", "subject,fold", [[f"S{person:03d}", person] for person in range(1, 11)])
    return root


def mmi_unit(number: str, onset: int, apex: int, offset: int) -> list[str]:
    """An action unit from neutral over its apex back to neutral, as MMI marks it: frames count from 1."""
    markers = [(1, 0), (onset, 1), (apex, 2), (offset, 3), (offset + 2, 0)]
    lines = [f'<Marker Frame="{frame}" Type="{kind}" />' for frame, kind in markers]
    return [f'<ActionUnit Number="{number}">', *lines, "</ActionUnit>"]


def bu3dfe_tree(root: Path) -> Path:
    """The dynamic layout: ten people, images counted from 000, with a 3D model beside them."""
    for person in range(1, 11):
        subject = f"{'F' if person % 2 else 'M'}{person:03d}"
        for label, expression in enumerate(("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise")):
            folder = root / subject / expression
            write_images(folder, moving_square(9, label), name="{:03d}.jpg", first=0)
            (folder / "000.wrl").write_text("#VRML V2.0 utf8\n")
    people = sorted(path.name for path in root.iterdir())
    write_csv(root / "folds.csv", "subject,fold", [[subject, fold] for fold, subject in enumerate(people, start=1)])
    return root


def bu3dfe_static_tree(root: Path) -> Path:
    """The static layout: ten people, four intensities of six expressions and a neutral face."""
    for person in range(1, 11):
        subject = f"{'F' if person % 2 else 'M'}{person:04d}"
        for label, code in enumerate(("AN", "DI", "FE", "HA", "SA", "SU")):
            write_images(root / subject, moving_square(4, label), name=f"{subject}_{code}{{:02d}}WH_F2D.bmp")
        write_images(root / subject, moving_square(1, 6), name=f"{subject}_NE{{:02d}}WH_F2D.bmp", first=0)
        (root / subject / f"{subject}_AN01WH_F3D.wrl").write_text("#VRML V2.0 utf8\n")
    people = sorted(path.name for path in root.iterdir())
    write_csv(root / "folds.csv", "subject,fold", [[subject, fold] for fold, subject in enumerate(people, start=1)])
    return root


def cremad_tree(root: Path) -> Path:
    """The first and the last actor of every fold, FLV; two clips that are known to be broken, and a stray file."""
    for actor in (1001, 1018, 1019, 1036, 1037, 1054, 1055, 1072, 1073, 1091):
        for label, emotion in enumerate(CREMAD_EMOTIONS):
            place_video(root / "VideoFlash" / f"{actor}_DFA_{emotion}_XX.flv", label)
    for broken in ("1076_MTI_NEU_XX", "1064_IEO_DIS_MD"):
        (root / "VideoFlash" / f"{broken}.flv").write_bytes(b"FLV broken")
    (root / "VideoFlash" / "notes.txt").write_text("not a clip")
    return root


def ravdess_tree(root: Path) -> Path:
    """An actor of every fold; the same takes with sound and a song lie beside them."""
    for actor in (1, 8, 9, 16, 17, 24):
        folder = root / f"Actor_{actor:02d}"
        for emotion in range(1, 9):
            place_video(folder / f"02-01-{emotion:02d}-01-02-01-{actor:02d}.mp4", emotion - 1)
        place_video(folder / f"01-01-03-01-02-01-{actor:02d}.mp4", 2)
        place_video(folder / f"02-02-04-01-02-01-{actor:02d}.mp4", 3)
    return root
