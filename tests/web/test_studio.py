"""The studio page in a real browser: upload, result, correction, export; by keys alone; on a phone."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

import signloom
from signloom.data.clip import Origin
from signloom.data.timing import Span
from signloom.pose.files import read_pose, write_pose, write_pose_slices
from signloom.simulator.episode import SimulatedEpisodes
from signloom.text.subtitles import compose, parse_subtitles
from signloom.web.server import build
from tests.web.served import models

ROOT = Path(signloom.__file__).parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
EPISODE = SimulatedEpisodes(size="tiny", split="test")[0]
SLOW = 60_000
"""Milliseconds that a step may take on a busy machine."""


def test_the_built_page_is_that_of_the_sources() -> None:
    hashed = hashlib.sha256()
    for path in sorted((ROOT / "studio" / "src").iterdir()):
        hashed.update(path.name.encode() + path.read_bytes())
    for name in ("studio.js", "client.js"):
        built = (ROOT / "signloom" / "web" / "static" / name).read_text()
        assert hashed.hexdigest() in built.splitlines()[0], "run `npm run build` in studio/"
    page = (ROOT / "signloom" / "web" / "static" / "index.html").read_text()
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert not re.search(r'<[^>]+ (style|on\w+)="', page), "the policy of the page forbids it"
    assert '"resolved"' not in (ROOT / "studio" / "package-lock.json").read_text()


def test_what_the_page_takes_from_here_is_up_to_date() -> None:
    for path, data in runpy.run_path(str(ROOT / "studio" / "generate.py"))["written"]().items():
        assert path.read_bytes() == data, f"{path.name}: run `python studio/generate.py`"


@dataclass
class Studio:
    """An open page, where its files are, what it asked for and what went wrong in it."""

    page: Any
    files: Path
    address: str
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.errors.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(self.address)
        self.page.wait_for_selector("#version:not(:empty)")

    def align(self) -> None:
        self.page.set_input_files("#recording-input", self.files / "0.pose")
        self.page.set_input_files("#subtitles-input", self.files / "0.vtt")
        self.page.click("#begin")
        self.page.wait_for_selector("#work:not([hidden])")

    def exported(self, format: str) -> bytes:
        with self.page.expect_download() as download:
            self.page.click(f"[data-export={format}]")
        return Path(download.value.path()).read_bytes()

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studio")
    write_pose_slices(EPISODE.slices(), EPISODE.frames, folder / "0.pose")
    (folder / "0.vtt").write_bytes(compose(EPISODE.speech, "vtt"))
    clip = replace(read_pose(folder / "0.pose", Span(4.0, 8.0)), id="")
    write_pose(clip, folder / "short.pose")
    write_pose(replace(clip, origin=Origin("somebody")), folder / "person.pose")
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="needs the optional part 'serve'")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = build(models(), hosts=("127.0.0.1",))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def studio(
    browser: Any, address: str, files: Path, request: pytest.FixtureRequest
) -> Iterator[Studio]:
    """A page of the size that the test asks for by ``@pytest.mark.parametrize("studio", …, indirect=True)``."""
    size = getattr(request, "param", (1280, 900))
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    context.set_default_timeout(SLOW)
    made = Studio(context.new_page(), files, address)
    made.open()
    yield made
    context.close()
    assert not made.errors
    beyond = [url for url in made.asked if not url.startswith((address, "blob:", "data:"))]
    assert not beyond, "the page asked elsewhere"


def test_a_cue_is_dragged_and_the_file_is_right(studio: Studio) -> None:
    studio.align()
    page = studio.page
    before = parse_subtitles(studio.exported("vtt"), "vtt").cues
    bar = page.locator('.aligned[data-cue="2"]').first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 20, middle[1], steps=4)
    page.mouse.up()
    assert "corrected, locked" in studio.text("#list li:nth-child(3)")
    after = parse_subtitles(studio.exported("vtt"), "vtt").cues
    zoom = box["width"] / before[2].span.duration
    moved = after[2].span.start - before[2].span.start
    assert moved == pytest.approx(20 / zoom, abs=0.06)
    assert after[2].span.duration == pytest.approx(before[2].span.duration, abs=0.001)
    assert [c.span for c in after[:2] + after[3:]] == [c.span for c in before[:2] + before[3:]]
    assert [c.text for c in after] == [c.text for c in EPISODE.speech]

    told = json.loads(studio.exported("json"))
    assert told["cues"][2]["flags"][-2:] == ["locked", "corrected"]
    assert told["cues"][2]["new"]["start"] == pytest.approx(after[2].span.start, abs=0.001)
    eaf = studio.exported("eaf")
    assert parse_subtitles(eaf, "eaf", tier="phrases").cues
    tier = parse_subtitles(eaf, "eaf", tier="cues aligned").cues
    assert tier[2].span.start == pytest.approx(after[2].span.start, abs=0.002)
    assert studio.exported("pose") == (studio.files / "0.pose").read_bytes()

    # Aligned again, the cue stays; undone, all is as it was.
    page.click("#realign")
    page.wait_for_selector("#summary:has-text('Aligned again around 1 locked')")
    again = parse_subtitles(studio.exported("vtt"), "vtt").cues
    assert again[2].span == after[2].span
    page.click("#undo")
    page.click("#undo")
    assert parse_subtitles(studio.exported("vtt"), "vtt").cues == before
    texts = parse_subtitles(studio.exported("srt"), "srt").cues
    assert [c.text for c in texts] == [c.text for c in EPISODE.speech]

    # Where the timeline is clicked, there the recording is.
    page.locator("#timeline").scroll_into_view_if_needed()
    where = page.locator("#timeline .inner").bounding_box()
    page.mouse.click(where["x"] + 3 * zoom, where["y"] + 5)
    assert int(page.input_value("#position")) / EPISODE.fps == pytest.approx(3, abs=0.1)
    page.keyboard.press("o")
    assert page.get_attribute("#loop", "aria-pressed") == "true"

    # What helps to understand a fault has neither pictures nor poses.
    with page.expect_download() as download:
        page.click("text=Report of a fault, without pictures")
    told = json.loads(Path(download.value.path()).read_bytes())
    assert (told["recording"]["name"], told["result"]["task"]) == ("0.pose", "align")
    assert len(json.dumps(told)) < 20_000 < (studio.files / "0.pose").stat().st_size


def reach(page: Any, id: str) -> None:
    """Presses Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id:
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid", f"#{id} has the focus and does not show it"
            return
    raise AssertionError(f"#{id} is not reached by Tab")


def test_everything_by_keys(studio: Studio) -> None:
    page = studio.page
    # That a chooser opens is the browser's affair: it wants a hand that a driven browser may lack.
    page.evaluate(
        "window.clicked = [];"
        "document.addEventListener('click', (event) => window.clicked.push(event.target.id))"
    )
    for what, file in (("recording", "0.pose"), ("subtitles", "0.vtt")):
        reach(page, f"choose-{what}")
        page.keyboard.press("Enter")
        assert f"{what}-input" in page.evaluate("window.clicked")
        page.set_input_files(f"#{what}-input", studio.files / file)
    reach(page, "begin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#work:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "file-name"
    before = json.loads(studio.exported("json"))["cues"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#list li.selected .number").inner_text() == "2"
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+Shift+ArrowRight")
    assert studio.text("#live").startswith("Cue 2 starts at ")
    now = json.loads(studio.exported("json"))["cues"]
    fps = EPISODE.fps
    assert now[1]["new"]["start"] - before[1]["new"]["start"] == pytest.approx(11 / fps, abs=0.03)
    page.keyboard.press("z")
    page.keyboard.press("z")
    assert json.loads(studio.exported("json"))["cues"] == before
    page.keyboard.press("l")
    assert "locked" in studio.text("#list li:nth-child(2) .sure")
    page.keyboard.press("r")
    page.wait_for_selector("#summary:has-text('Aligned again around 1 locked')")
    reach(page, "cue-start")
    page.keyboard.press("Control+a")
    page.keyboard.type("0:09.000")
    page.keyboard.press("Tab")
    assert studio.text("#list li:nth-child(2) .when").startswith("0:09.000")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("nine")
    page.keyboard.press("Tab")
    assert page.get_attribute("#cue-start", "aria-invalid") == "true"
    at = page.input_value("#position")
    reach(page, "position")
    page.keyboard.press("ArrowRight")
    assert int(page.input_value("#position")) == int(at) + 1
    page.keyboard.press("k")
    for _ in range(100):
        page.wait_for_timeout(100)
        if int(page.input_value("#position")) > int(at) + 3:
            break
    else:
        raise AssertionError("it does not play")
    page.keyboard.press("k")
    assert studio.text("#play") == "Play"
    page.keyboard.press("<")
    assert page.input_value("#speed") == "0.75"
    page.keyboard.press("?")
    assert page.evaluate("document.querySelector('#help').open")
    page.keyboard.press("Escape")


def test_what_a_model_cannot_do_is_said_plainly(studio: Studio) -> None:
    page = studio.page
    page.check("#task-translate")
    assert "knows only simulated signing" in studio.text("#model-notice")
    page.set_input_files("#recording-input", studio.files / "person.pose")
    with page.expect_response("**/v1/translate") as refused:
        page.click("#begin")
    assert refused.value.status == 422
    page.wait_for_selector("#refusal:not([hidden])")
    studio.errors.clear()  # the browser logs the 422
    assert studio.text("#refusal-title") == "This model knows only simulated signing"
    page.click("text=About this model")
    page.wait_for_selector("#card-text h3:has-text('sim')")
    page.keyboard.press("Escape")
    page.click("#refusal >> text=Show me the nonsense")
    page.wait_for_selector("#work:not([hidden])")
    assert studio.text(".said") == "100 frames"
    assert "what it says below is nonsense" in studio.text("#simulated")
    page.click("#again")
    page.set_input_files("#recording-input", studio.files / "short.pose")
    page.check("#task-recognize")
    page.click("#begin")
    page.wait_for_selector("#work:not([hidden])")
    assert studio.text(".said") == "book"
    assert "instrument, not a sign language" in studio.text("#simulated")


@pytest.mark.parametrize("studio", [(390, 844)], indirect=True)
def test_on_a_phone_and_from_right_to_left(studio: Studio) -> None:
    page = studio.page
    arabic = studio.files / "arabic.vtt"
    cues = [replace(cue, text="مرحبا بكم في الأخبار") for cue in EPISODE.speech]
    arabic.write_bytes(compose(cues, "vtt"))
    page.set_input_files("#recording-input", studio.files / "0.pose")
    page.set_input_files("#subtitles-input", arabic)
    for where in ("#start", "#work"):
        page.wait_for_selector(f"{where}:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = page.evaluate(
            "[...document.querySelectorAll('button, select, input:not(.sr)')]"
            ".filter(e => e.offsetParent && (e.offsetHeight < 20 || e.offsetWidth < 20)).map(e => e.id)"
        )
        assert not small
        if where == "#start":
            page.click("#begin")
    direction = "getComputedStyle(document.querySelector('#list .text')).direction"
    assert page.evaluate(direction) == "rtl"
