"""The annotated video plays in a browser, picture and sound."""

import shutil

import pytest
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg
from helpers.media import write_video
from helpers.stub_model import StubModel

from cefl_bench.predict.predictor import Predictor

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e .[dev]")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
H264 = "document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.640028, mp4a.40.2\"')"
PLAYED = """async () => {
    const video = document.querySelector('video');
    const ended = new Promise(done => { video.onended = done; video.onerror = done; });
    await video.play();
    await ended;
    return [video.videoWidth, video.currentTime, video.webkitAudioDecodedByteCount, video.error];
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_an_annotated_video_plays_to_its_end(tmp_path):
    write_video(tmp_path / "silent.mp4", read("smile", stop=20))
    sound = ("-f", "lavfi", "-i", "sine=d=0.8", "-c:v", "copy", "-c:a", "ac3")  # which no browser plays
    ffmpeg("-i", tmp_path / "silent.mp4", *sound, tmp_path / "smile.mp4")
    Predictor(StubModel())(tmp_path / "smile.mp4").save(tmp_path)
    (tmp_path / "page.html").write_text('<video src="annotated.mp4" muted></video>')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        if not page.evaluate(H264):
            pytest.skip("this Chromium has no H.264")
        width, seconds, sound_bytes, error = page.evaluate(PLAYED)
        browser.close()
    assert (width, error) == (480, None) and seconds == pytest.approx(0.8, abs=0.1) and sound_bytes > 1000
