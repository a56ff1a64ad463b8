"""The page's server: what it takes, what it refuses, and that nothing is left of what it was given."""

import os
import socket
import tempfile

import av
import numpy as np
import pytest
from helpers.children import wait_until
from helpers.face_clips import read
from helpers.media import write_video
from helpers.served import Served, pages_in, served
from helpers.stub_model import CLASSES, Slow, StubModel

from cefl_bench.errors import UserError
from cefl_bench.page.folder import own_folder
from cefl_bench.page.jobs import safe_name
from cefl_bench.page.server import serving
from cefl_bench.predict.predictor import Predictor

MAX_BYTES = 300_000
RESULTS = {"annotated.mp4", "timeline.csv", "timeline.json", "timeline.png", "view.json", "moment_0.jpg"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder for temporary files, of these tests alone."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def smile(tmp_path_factory):
    """A smile of a second."""
    path = tmp_path_factory.mktemp("videos") / "smile.mp4"
    write_video(path, read("smile", stop=26))
    return path.read_bytes()


@pytest.fixture(scope="module")
def page(place):
    with served(max_bytes=MAX_BYTES, max_seconds=1.2) as page:
        yield page


@pytest.fixture
def slow(place):
    """A page whose model is at work, and waits."""
    model = Slow()
    with served(model, max_jobs=3) as page:
        page.model = model
        yield page
        model.go.set()


@pytest.fixture(scope="module")
def done(page, smile):
    """The job of a video that was judged."""
    answer = page.give(smile, "my smile.mp4")
    assert answer.status == 201
    return page.until(answer.json()["id"], "done", "failed")


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_video_becomes_results_and_is_itself_deleted(page, done, place):
    assert done["state"] == "done" and done["name"] == "my smile.mp4"
    (folder,) = pages_in(place)
    assert set(files_in(folder / done["id"])) == RESULTS
    assert folder.stat().st_mode & 0o077 == 0, "nobody else may look into it"
    view = page.ask(f"/jobs/{done['id']}/view.json").json()
    (face,) = view["faces"]
    assert view["name"] == "my smile.mp4" and [one["name"] for one in view["classes"]] == list(CLASSES)
    assert face["labels"][0]["start"] == 0 and face["labels"][-1]["end"] == pytest.approx(1.04, abs=0.01)
    told = page.ask(f"/jobs/{done['id']}/timeline.json").json()
    assert told["video"] == "my smile.mp4" and str(place) not in str(told)
    for row, label in zip(told["rows"], face["labels"], strict=True):
        assert CLASSES[label["label"]] == row["label"]
        assert label["score"] == pytest.approx(row["scores"][row["label"]], abs=1e-4)
    (moment,) = view["moments"]
    assert moment["activation"] == pytest.approx(max(row["activation"] for row in told["rows"]), abs=1e-3)
    assert page.ask(f"/jobs/{done['id']}/{moment['image']}").content[:3] == b"\xff\xd8\xff"


def test_a_browser_may_ask_for_a_part_of_the_video(page, done, tmp_path):
    path = f"/jobs/{done['id']}/annotated.mp4?token={page.token}"
    whole, part = page.ask(path, token=False), page.ask(path, token=False, Range="bytes=4-7")
    assert (whole.status, part.status, part.content) == (200, 206, b"ftyp")
    assert whole.headers["content-type"] == "video/mp4" and whole.headers["cache-control"] == "no-store"
    (tmp_path / "video.mp4").write_bytes(whole.content)
    with av.open(str(tmp_path / "video.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


@pytest.mark.parametrize("path", ["/", "/about", "/static/page.js", "/nowhere"])
def test_every_answer_forbids_the_browser_to_ask_anybody_else(page, path):
    policy = page.ask(path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';") and "http" not in policy and "*" not in policy


def test_the_page_knows_the_warnings_and_the_limits(page):
    about = page.ask("/about").json()
    assert "trained on synthetic faces: do not rely on it for real people" in about["warnings"]
    assert (about["max_bytes"], about["max_seconds"], about["values"]) == (MAX_BYTES, 1.2, "score")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_another_name_than_its_own_is_refused(page, host):
    for path, method in (("/", "GET"), ("/static/page.js", "GET"), ("/jobs?name=a.mp4", "POST")):
        assert page.ask(path, method, Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "LocalHost:9000", "127.0.0.1:1", "[::1]:8765"])
def test_its_own_names_lead_to_it_also_through_a_tunnel(page, host):
    assert page.ask("/", Host=host).status == 200


def test_without_the_token_nothing_is_read_or_changed(page, done):
    job = f"/jobs/{done['id']}"
    asked = [("GET", "/"), ("GET", "/about"), ("GET", "/events"), ("GET", f"{job}/view.json")]
    asked += [("POST", "/jobs?name=a.mp4"), ("DELETE", job), ("PUT", job), ("GET", f"/?token={page.token}x")]
    # a form of another site can send no header, so none in the address counts for changes
    asked += [("POST", f"/jobs?name=a.mp4&token={page.token}"), ("DELETE", f"{job}?token={page.token}")]
    for method, path in asked:
        for headers in ({}, {"X_Token": "wrong"}, {"X_Token": "\xfc"}):
            answer = page.ask(path, method, token=False, **headers)
            assert (answer.status, answer.text.count("\n")) == (403, 0), (method, path)
    assert page.jobs() == [done]


@pytest.mark.parametrize("sent", ["with its length", "in chunks"])
def test_a_video_that_is_too_large_is_refused_while_it_comes(page, place, sent, done):
    content = bytes(MAX_BYTES + 1)
    if sent == "in chunks":
        content = iter([bytes(100_000)] * 4)
    before = files_in(place)
    answer = page.ask("/jobs?name=a.mp4", "POST", content)
    assert (answer.status, answer.text) == (413, "the video is too large: at most 0 MB are taken")
    assert files_in(place) == before and page.jobs() == [done]


def test_what_is_cut_off_while_it_comes_leaves_nothing(page, place, done):
    before = files_in(place)
    with socket.create_connection((page.host, page.port)) as line:
        head = ("POST /jobs?name=a.mp4 HTTP/1.1", "Host: localhost", f"X-Token: {page.token}", "Content-Length: 90000")
        line.sendall("\r\n".join([*head, "", ""]).encode() + bytes(5000))
        wait_until(lambda: any(job["state"] == "arriving" for job in page.jobs()), 20)
    wait_until(lambda: page.jobs() == [done], 20)
    assert files_in(place) == before


@pytest.mark.parametrize(
    "path",
    ["upload/my smile.mp4", "%2e%2e/view.json", "..%2f..%2fview.json", "/etc/passwd", "view.json/..", "", "other"],
)
def test_no_path_leads_out_of_the_results(page, done, path):
    assert page.ask(f"/jobs/{done['id']}/{path.replace(' ', '%20')}").status == 404
    assert page.ask(f"/static/{path.replace(' ', '%20')}").status == 404


def test_a_job_that_is_not_there(page):
    assert [page.ask("/jobs/none", "DELETE").status, page.ask("/jobs/none/view.json").status] == [404, 404]


def test_what_is_wrong_with_a_video_is_told_in_one_line(page, place, smile, tmp_path):
    write_video(tmp_path / "long.mp4", np.zeros((50, 48, 64, 3), dtype=np.uint8))
    long = (tmp_path / "long.mp4").read_bytes()
    for content, error in (
        (smile[:900], "video Ü.mp4 cannot be decoded (900 bytes; "),
        (b"", "video Ü.mp4 cannot be decoded (0 bytes; "),
        (long, "Ü.mp4 is too long (2 s): at most 1.2 s are taken; cut it"),
    ):
        job = page.until(page.give(content, "a/b\\Ü.mp4").json()["id"], "failed")
        assert job["error"].startswith(error) and "\n" not in job["error"] and str(place) not in job["error"]
        (folder,) = pages_in(place)
        assert not (folder / job["id"]).exists()
        assert page.ask(f"/jobs/{job['id']}", "DELETE").status == 204


def test_a_length_that_a_file_does_not_tell_is_noticed_on_the_way(page, place, monkeypatch, tmp_path):
    """As of what browsers record."""
    monkeypatch.setattr("cefl_bench.page.jobs.stated_seconds", lambda path: None)
    write_video(tmp_path / "long.mp4", np.zeros((50, 48, 64, 3), dtype=np.uint8))
    job = page.until(page.give((tmp_path / "long.mp4").read_bytes()).json()["id"], "failed")
    assert job["error"] == "me.mp4 is too long: at most 1.2 s are taken; cut it" and job["done"] <= 1.7
    assert page.ask(f"/jobs/{job['id']}", "DELETE").status == 204


def test_our_own_mistake_is_told_in_the_terminal_and_the_page_goes_on(page, smile, monkeypatch, capfd):
    def fail(*_):
        raise RuntimeError("of ours")

    with monkeypatch.context() as patch:
        patch.setattr("cefl_bench.page.jobs.write_view", fail)
        job = page.until(page.give(smile).json()["id"], "failed")
    assert job["error"] == "me.mp4 could not be judged, by a mistake of this tool: the terminal tells which"
    assert "RuntimeError: of ours" in capfd.readouterr().err
    assert page.ask(f"/jobs/{job['id']}", "DELETE").status == 204
    again = page.until(page.give(smile).json()["id"], "done")
    assert page.ask(f"/jobs/{again['id']}", "DELETE").status == 204


def test_one_video_at_a_time_the_others_wait_and_each_can_be_stopped(slow, place, smile):
    ids = [slow.give(smile).json()["id"] for _ in range(3)]
    assert slow.model.begun.wait(20)
    assert [(job["id"], job["state"]) for job in slow.jobs()] == list(
        zip(ids, ("running", "waiting", "waiting"), strict=True)
    )
    assert (slow.give(smile).status, slow.give(smile).text) == (429, "there are 3 videos already: delete some")
    folder = max(pages_in(place), key=lambda path: path.stat().st_mtime)
    assert slow.ask(f"/jobs/{ids[1]}", "DELETE").status == 204 and not (folder / ids[1]).exists()
    assert slow.ask(f"/jobs/{ids[0]}", "DELETE").status == 204
    assert [job["id"] for job in slow.jobs()] == [ids[2]]
    slow.model.go.set()
    slow.until(ids[2], "done")
    assert not (folder / ids[0]).exists()
    assert slow.ask(f"/jobs/{ids[2]}", "DELETE").status == 204
    assert files_in(folder) == [] and slow.ask(f"/jobs/{ids[2]}/view.json").status == 404


def test_the_end_of_a_server_leaves_nothing_also_in_the_middle(place, smile):
    model, before = Slow(), pages_in(place)
    with served(model) as page:
        page.give(smile)
        page.give(smile)
        assert model.begun.wait(20) and len(pages_in(place)) == len(before) + 1
    assert pages_in(place) == before
    model.go.set()
    with pytest.raises(ConnectionRefusedError):
        page.ask("/")


def test_folders_of_servers_that_are_gone_are_swept_and_no_others(place, tmp_path):
    gone, kept = place / "cefl_bench_page_gone", tmp_path / "kept"
    (gone / "job" / "upload").mkdir(parents=True)
    (gone / "job" / "upload" / "face.mp4").touch()
    (kept / "mine").mkdir(parents=True)
    (place / "cefl_bench_page_link").symlink_to(kept)
    (place / "cefl_bench_page_file").touch()
    with own_folder() as first:
        (first / "face.mp4").touch()
        with own_folder():
            assert not gone.exists() and (first / "face.mp4").exists() and (kept / "mine").exists()
    assert not first.exists()
    (place / "cefl_bench_page_link").unlink()
    (place / "cefl_bench_page_file").unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_the_folder_of_another_user_is_not_touched(place):
    other = place / "cefl_bench_page_other"
    other.mkdir()
    os.chown(other, 12345, 12345)
    with own_folder():
        assert other.exists()
    other.rmdir()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\me.mp4", "me.mp4"),
        ("..", "video"),
        ("", "video"),
        (".bashrc", "bashrc"),
        ("a\0b\n<i>.mp4", "a_b__i_.mp4"),
        ("Ünï 猫 (1).mov", "Ünï 猫 (1).mov"),
        ("猫" * 300 + ".mp4" + "x" * 300, "猫" * 60 + ".mp4xxxxx"),
    ],
)
def test_names_of_videos_are_safe(name, safe):
    assert safe_name(name) == safe and len(safe.encode()) < 255


def test_where_nobody_can_listen(page, place):
    for host, port, told in (
        ("127.0.0.1", page.port, "cannot be listened at (Address already in use): give another --port"),
        ("0.0.0.0", 0, "name the address of this machine"),
        ("192.0.2.1", 0, "192.0.2.1 port 0 cannot be listened at"),
        ("127.0.0.1", 70_000, "cannot be listened at"),
    ):
        with pytest.raises(UserError) as error, serving(Predictor(StubModel()), host, port):
            pass
        assert told in str(error.value) and "\n" not in str(error.value)


def test_an_address_of_version_6(place):
    with serving(Predictor(StubModel()), "::1") as address:
        assert address.startswith("http://[::1]:")
        assert Served(address).ask("/").status == 200
