"""The page in a browser: a real video and a webcam are judged, and a click on a clip leads there."""

import shutil
import tempfile

import cv2
import pytest
from helpers.children import wait_until
from helpers.face_clips import read
from helpers.media import write_video
from helpers.served import pages_in, served
from helpers.stub_model import StubModel

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e .[dev]")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
H264 = """document.createElement('video').canPlayType('video/mp4; codecs="avc1.640028"')"""
WARNING = "Trained on synthetic faces: do not rely on it for real people"


@pytest.fixture(scope="module")
def smile(tmp_path_factory):
    """A smile of two and a half seconds, as a video and as what a camera sees."""
    folder = tmp_path_factory.mktemp("videos")
    frames = read("smile", stop=64)
    write_video(folder / "smile.mp4", frames)
    pictures = [cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes() for frame in frames]
    (folder / "camera.mjpeg").write_bytes(b"".join(pictures))
    return folder


@pytest.fixture(scope="module")
def browser(smile):
    """Its camera shows the smile, and may be used."""
    camera = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    camera += (f"--use-file-for-fake-video-capture={smile / 'camera.mjpeg'}",)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *camera])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, tmp_path, monkeypatch):
    """The opened page; afterwards nothing was complained of, nobody else was asked, and nothing is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    complaints, requests = [], []
    with served(StubModel(rendered=True), max_seconds=20.0) as at:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(at.address)
        page.at = at
        yield page
        context.close()
    assert complaints == []
    assert {url.partition("?")[0].split("/")[2] for url in requests} == {f"127.0.0.1:{at.port}"}
    assert pages_in(tmp_path) == []


def fits(page, width):
    """Nothing scrolls sideways, and no letter is tiny."""
    page.set_viewport_size({"width": width, "height": 844})
    smallest = "all => Math.min(...all.map(e => parseFloat(getComputedStyle(e).fontSize)))"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("body *").evaluate_all(smallest) >= 11


def now(page):
    return page.evaluate("document.getElementById('video').currentTime")


def test_a_video_is_judged_and_a_click_leads_to_a_clip(page, smile, tmp_path):
    wait_until(lambda: page.locator("#warnings").inner_text().startswith(WARNING), 20)
    assert page.locator("#limits").inner_text() == "Up to 20 seconds and 200 MB."
    (tmp_path / "notes.mp4").write_text("no video")
    page.set_input_files("#file", [smile / "smile.mp4", tmp_path / "notes.mp4"])
    page.locator("#shown").wait_for(timeout=60_000)
    page.get_by_text("Video notes.mp4 cannot be decoded").wait_for()
    assert page.locator("#title").inner_text() == "smile.mp4"
    assert "looks like" in page.locator("#summary").inner_text()
    view = page.at.ask(f"/jobs/{page.at.jobs()[0]['id']}/view.json").json()
    assert page.locator(".moment").count() == page.locator(".mark").count() == len(view["moments"]) > 1
    for width in (390, 1280):
        fits(page, width)
    if not page.evaluate(H264):
        pytest.skip("this browser plays no H.264")
    wait_until(lambda: page.evaluate("document.getElementById('video').readyState >= 2"), 20)
    assert page.evaluate("document.getElementById('video').videoWidth") == 480
    last = view["moments"][-1]
    for act in (page.locator(".moment").last.click, page.locator(".mark").last.click):
        page.locator("#seek").fill("0")
        act()
        assert now(page) == pytest.approx(last["start"], abs=0.01) and last["start"] > 0
    page.locator(".row.scores").scroll_into_view_if_needed()
    lane, row = page.locator(".lane").bounding_box(), page.locator(".row.scores").bounding_box()
    page.mouse.click(lane["x"] + lane["width"] / 2, row["y"] + 20)
    assert now(page) == pytest.approx(view["seconds"] / 2, abs=0.05)
    page.keyboard.press("ArrowLeft")
    page.locator("#course").press("Home")
    assert now(page) == 0
    page.locator("#play").click()
    wait_until(lambda: page.evaluate("document.getElementById('video').currentTime > 0.2"), 20)
    for place in page.locator(".job .end").all()[::-1]:
        place.click()
    page.locator("#empty").wait_for()
    (folder,) = pages_in(tmp_path)
    wait_until(lambda: not list(folder.iterdir()), 20)


def test_a_webcam_is_recorded_in_the_browser(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#camera").click()
    page.locator("#record").click()
    page.wait_for_timeout(1500)
    fits(page, 390)
    page.locator("#record").click()
    page.locator("#shown").wait_for(timeout=60_000)
    assert page.locator("#title").inner_text().startswith("webcam ")
    assert page.locator("#drop").is_visible() and not page.locator("#booth").is_visible()
    assert page.locator(".row.labels rect").count() > 0, "the face was found"
