"""The page in a browser: it sorts, switches, copies, fits a phone, and asks for nothing."""

import shutil
from dataclasses import replace

import pytest
from helpers.boards import SIX, board, table

from cefl_bench.report.html import write_html

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e .[dev]")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-component-update"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, tmp_path):
    """The opened report of two tables; afterwards nothing was complained of and nothing was asked for."""
    evil = '<img src="https://example.org/x.png" onerror="document.title=1">'
    told = table(SIX, external=("mine",))
    (row,) = [row for row in told["rows"] if row["title"] == "R3D-18"]
    row["title"] = evil
    tables = (told, table((replace(SIX[5], name="c3d_synthetic"),), (1, 2), dataset="synthetic"))
    path = write_html(board(*tables), tmp_path / "report")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, complaints, requests = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]


def column(page, place: int) -> list[float | None]:
    cells = page.locator(f"#t1 .board tbody tr > :nth-child({place + 1})")
    values = cells.evaluate_all("cells => cells.map(cell => cell.dataset.sort)")
    return [float(value) if value else None for value in values]


def test_a_click_or_a_key_sorts_and_the_unknown_comes_last(page):
    heads = page.locator("#t1 .board thead th")
    place = [text.strip(" ↕") for text in heads.all_inner_texts()].index("MACs")
    for act, direction in ((lambda b: b.click(), "ascending"), (lambda b: b.press("Enter"), "descending")):
        act(heads.nth(place).locator("button"))
        assert heads.nth(place).get_attribute("aria-sort") == direction
        values = column(page, place)
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=direction == "descending") and values[-1] is None
        assert len(known) == len(SIX)
    heads.nth(3).locator("button").click()
    assert page.locator("#t1 .board [aria-sort]").count() == 1
    assert column(page, 3) == sorted(column(page, 3), reverse=True), "accuracy: the best first"


def test_charts_switch_between_the_two_accuracies(page):
    war, uar = page.locator("#t1 .only-war"), page.locator("#t1 .only-uar")
    assert war.first.is_visible() and not uar.first.is_visible()
    page.locator("#t1 [data-show=uar]").click()
    assert uar.first.is_visible() and not war.first.is_visible()
    assert page.locator("#t2 .only-war").first.is_visible(), "the other table stays as it was"


def test_a_method_leads_to_its_commands_which_are_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="CEFLNet", exact=True).click()
    commands = page.locator("details[open] .command")
    commands.get_by_role("button").click()
    commands.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").count("tools/train.py configs/ceflnet_dfew.py --fold") == 3


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_body_never_scrolls_sideways_and_no_letter_is_tiny(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.locator("details").evaluate_all("all => all.forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    smallest = "all => Math.min(...all.map(e => parseFloat(getComputedStyle(e).fontSize)))"
    assert page.locator("body *:not(script)").evaluate_all(smallest) >= 11


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(page, scheme):
    """WCAG's contrast of 4.5, of every cell of the tables against its own background."""
    page.emulate_media(color_scheme=scheme)
    worst = page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (...layers) => {
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (c) => c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const surface = getComputedStyle(document.querySelector('.card')).backgroundColor;
  let worst = {ratio: 99};
  for (const cell of document.querySelectorAll('td, th, .tag, .warning, summary, .muted')) {
    const style = getComputedStyle(cell);
    const back = rgb(surface, style.backgroundColor), text = rgb(surface, style.backgroundColor, style.color);
    const [low, high] = [luminance(back), luminance(text)].sort((a, b) => a - b);
    const ratio = (high + .05) / (low + .05);
    if (ratio < worst.ratio) worst = {ratio, text: cell.textContent.trim().slice(0, 40), of: cell.className};
  }
  return worst;
}"""
