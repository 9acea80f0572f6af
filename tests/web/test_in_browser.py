"""The page takes skeletons itself, in a real browser: keypoints leave it, the video does not.

And axe looks at every state of the page. With SIGNLOOM_PICTURES, a folder, it leaves pictures of them there.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HOLISTIC
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.extract.holistic import NAME
from signloom.pose.files import read_pose, write_pose, write_pose_slices
from signloom.text.subtitles import compose
from signloom.web.holistic import FILES, VERSION, checked_folder
from signloom.web.limits import Limits
from signloom.web.server import build
from tests.extract.videos import person, write_video
from tests.web.served import client, models
from tests.web.test_studio import CHROMIUM, EPISODE, FLAGS, ROOT

PACKAGE = os.environ.get("SIGNLOOM_HOLISTIC", "")
"""The folder of the unpacked npm package @mediapipe/holistic."""
AXE = ROOT / "studio" / "node_modules" / "axe-core" / "axe.min.js"
PICTURED = os.environ.get("SIGNLOOM_PICTURES", "")
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
DRAWN = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card."""
SLOW = 180_000
"""Milliseconds that the models may take to load and to read a few pictures."""
RATE, PICTURES = 25, 8

STUB = """
const list = (count, visible) => {
  const view = new DataView(new ArrayBuffer(count * (visible ? 22 : 17)));
  let at = 0;
  const float = (field, value) => {
    view.setUint8(at, field * 8 + 5); view.setFloat32(at + 1, value, true); at += 5;
  };
  for (let k = 0; k < count; k++) {
    view.setUint8(at, 10); view.setUint8(at + 1, visible ? 20 : 15); at += 2;
    float(1, k / 1000); float(2, 0.5); float(3, -0.25);
    if (visible) float(4, 0.75);
  }
  return new Uint8Array(view.buffer);
};
window.VERSION = "stub";
window.Solution = class {
  async initialize() {}
  async reset() {}
  onResults(listener) { this.listener = listener; }
  async send({ image }, time) {
    const found = { pose_landmarks: list(33, true), world_landmarks: list(33, true) };
    this.listener({ ...found, face_landmarks: list(468), right_hand_landmarks: list(21) });
  }
};
"""
"""In the package's place: the k-th point of a part at x = k / 1000 of the picture; no left hand."""
HURRIED = """
const wait = window.setTimeout;
window.setTimeout = (act, time, ...rest) => wait(act, time === 1000 ? 50 : time, ...rest);
const now = performance.now.bind(performance);
performance.now = () => now() / 5;
"""
"""The seconds that the camera counts down are short, and a busy machine reads enough pictures a second."""


def test_a_folder_that_is_not_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no holistic\.js, expected .* npm pack"):
        checked_folder(tmp_path)
    for name in FILES:
        (tmp_path / name).write_text(name)
    with pytest.raises(UsageError, match=f"is version unknown .* expected {VERSION}"):
        checked_folder(tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"version": VERSION}))
    assert checked_folder(tmp_path) == tmp_path


def test_the_package_is_served_and_nothing_beside_it(tmp_path: Path) -> None:
    for name in (*FILES, "diary.txt"):
        (tmp_path / name).write_text(name)
    with client(holistic=tmp_path) as api:
        assert api.get("/v1/server").json()["holistic"]
        wasm = api.get("/holistic/holistic_solution_simd_wasm_bin.wasm")
        assert wasm.headers["content-type"] == "application/wasm"
        assert api.get("/holistic/holistic.js").text == "holistic.js"
        for name in ("diary.txt", "%2e%2e/secret", "package.json"):
            assert api.get(f"/holistic/{name}").status_code == 404
        policies = [api.get(path).headers["content-security-policy"] for path in ("/", "/healthz")]
        assert ["'wasm-unsafe-eval'" in policy for policy in policies] == [True, False]
        assert "'unsafe-eval'" not in policies[0]
    with client() as api:
        assert not api.get("/v1/server").json()["holistic"]
        assert api.get("/holistic/holistic.js").status_code == 404
        assert "wasm" not in api.get("/").headers["content-security-policy"]


@dataclass
class Arrived:
    """An application, and every request's path and body that came to it."""

    app: Any
    package: str
    requests: list[tuple[str, bytearray]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        self.requests.append((scope.get("path", ""), body))

        async def receiving() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, receiving, send)

    def uploads(self) -> list[bytes]:
        return [bytes(body) for _, body in self.requests if body]


WHICH = [
    "stub",
    pytest.param(
        "package",
        marks=pytest.mark.skipif(
            not PACKAGE, reason="SIGNLOOM_HOLISTIC names no @mediapipe/holistic"
        ),
    ),
]


@pytest.fixture(scope="module", params=WHICH)
def arrived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    folder = Path(PACKAGE)
    if request.param == "stub":
        folder = tmp_path_factory.mktemp("package")
        for name in FILES:
            (folder / name).write_text(STUB if name == "holistic.js" else "")
        (folder / "package.json").write_text(json.dumps({"version": VERSION}))
    app = build(models(), Limits(), hosts=("127.0.0.1",), holistic=checked_folder(folder))
    return Arrived(app, request.param)


@pytest.fixture(scope="module")
def address(arrived: Arrived) -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="needs the optional part 'serve'")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(arrived, log_level="error", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as running:
        flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + DRAWN + CAMERA
        browser = running.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, address: str, arrived: Arrived) -> Iterator[Any]:
    arrived.requests.clear()
    errors: list[str] = []
    opened = chromium.new_page(reduced_motion="reduce")
    opened.add_init_script(HURRIED)
    opened.set_default_timeout(SLOW)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#version:not(:empty)")
    yield opened
    opened.close()
    assert not errors


def test_only_keypoints_leave_the_page(page: Any, arrived: Arrived, tmp_path: Path) -> None:
    still = person(240, 320)
    pictures = [np.roll(still, 4 * k, axis=1) for k in range(PICTURES)]
    video = write_video(tmp_path / "sängerin.mp4", pictures, RATE)
    page.check("#task-translate")
    page.set_input_files("#recording-input", video)
    page.select_option("#model", "real")
    assert "The video does not leave this browser" in page.inner_text("#goes")
    page.click("#begin")
    page.wait_for_selector("#work:not([hidden]), #refusal:not([hidden])")
    if arrived.package == "stub":
        assert not page.is_visible("#refusal"), page.inner_text("#refusal")
        assert "the video stayed in this browser" in page.inner_text("#facts")
        assert page.inner_text("#file-name") == video.name
        assert page.inner_text(".said") == f"{PICTURES} frames"
    else:  # the person shows no hand
        assert page.inner_text("#refusal-title") == "No signing found"

    data = video.read_bytes()
    pieces = [data[at : at + 24] for at in range(64, len(data) - 24, 24) if any(data[at : at + 24])]
    (sent,) = arrived.uploads()
    assert not any(piece in sent for piece in pieces)
    start = sent.index(b"\r\n\r\n", sent.index(b'name="media"')) + 4
    (tmp_path / "sent.pose").write_bytes(sent[start : sent.index(b"\r\n--", start)])
    clip = read_pose(tmp_path / "sent.pose")
    assert (clip.layout, clip.fps, clip.size) == (HOLISTIC, RATE, (320, 240))
    assert (len(clip), clip.id) == (PICTURES, "sängerin")
    assert clip.origin.extractor == NAME
    if arrived.package == "stub":
        as_planted(clip)
    else:
        as_extracted_here(clip, video)


def as_planted(clip: PoseClip) -> None:
    for part, first in (("body", 0), ("face", 33), ("right_hand", 522), ("world", 543)):
        where = HOLISTIC.part(part)
        assert where[0] == first
        for k, point in enumerate(where):
            expected = (k / 1000 * 320, 120, -0.25)
            np.testing.assert_allclose(clip.points[:, point], [expected] * PICTURES, rtol=1e-6)
        assert np.unique(clip.confidence[:, where]) == (0.75 if part in ("body", "world") else 1)
    assert not clip.confidence[:, HOLISTIC.part("left_hand")].any()


def as_extracted_here(clip: PoseClip, video: Path) -> None:
    """Two builds of one graph on pictures decoded twice: nearly the same keypoints."""
    pytest.importorskip("mediapipe", reason="needs the optional part 'extract'")
    from signloom.extract.extraction import extract_clip

    ours = extract_clip(video)
    assert clip.origin.settings.items() >= ours.origin.settings.items()
    for part, most in (("face", 2.0), ("body", 8.0)):
        where = HOLISTIC.part(part)
        seen = (clip.confidence[:, where] > 0.5) & (ours.confidence[:, where] > 0.5)
        assert seen.mean() > 0.4
        apart = np.linalg.norm(clip.points[:, where, :2] - ours.points[:, where, :2], axis=-1)
        assert float(np.median(apart[seen])) < most
    world = HOLISTIC.part("world")
    assert float(np.abs(clip.points[:, world, 2] - ours.points[:, world, 2]).mean()) < 0.1
    assert (clip.confidence[:, world] > 0).any()


def wait_until_off(page: Any, id: str) -> None:
    """Until the camera that was seen there is off; the page's policy forbids to wait by an expression."""
    for _ in range(300):
        if page.evaluate(f"document.querySelector('#{id}').srcObject === null"):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the camera is still on")


def test_a_recording_of_the_camera_by_keys(page: Any, arrived: Arrived) -> None:
    page.check("#task-segment")

    def opened() -> None:
        page.focus("#camera-button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#record:enabled")
        assert page.evaluate("document.activeElement.id") == "record"

    def recording() -> None:
        page.keyboard.press("Enter")
        page.wait_for_selector("#record:has-text('Stop')")

    before = page.inner_text("#chosen-recording")
    opened()
    recording()
    page.keyboard.press("Escape")
    page.wait_for_selector("#camera", state="hidden")
    assert page.inner_text("#chosen-recording") == before, "Escape drops what was recorded"
    wait_until_off(page, "preview")
    opened()
    recording()
    page.wait_for_timeout(1000)  # of pictures
    page.keyboard.press("Space")
    page.wait_for_selector("#chosen-recording:has-text('camera.webm')")
    wait_until_off(page, "preview")
    assert page.evaluate("document.activeElement.id") == "begin"

    page.uncheck("#here")
    assert "The video itself is sent to" in page.inner_text("#goes")
    assert not arrived.uploads(), "nothing is sent before it is told where to"
    page.click("#begin")
    page.wait_for_selector("#progress:not([hidden])")
    page.wait_for_selector("#stage-words:not(:has-text('Starting'))")
    page.click("#cancel")
    page.wait_for_selector("#refusal-title:has-text('Cancelled')")
    (sent,) = arrived.uploads()
    assert b"\x1aE\xdf\xa3" in sent, "a webm"
    assert b"camera.webm" in sent


class Reading:
    """Stands in for the server's end of a live stream: text at the third and sixth frame, and at the end."""

    def __init__(self, page: Any, address: str):
        self.first: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        page.route("**/v1/server", self.about)
        page.route_web_socket("**/v1/live", self.serve)
        page.goto(address)

    def about(self, route: Any) -> None:
        about = route.fetch().json()
        about["models"][0]["live"] = ["translate"]
        route.fulfill(json=about)

    def serve(self, socket: Any) -> None:
        def say(type: str, **more: Any) -> None:
            socket.send(json.dumps({"type": type, **more}))

        def heard(message: str | bytes) -> None:
            if isinstance(message, bytes):
                self.frames.append(message)
                if len(self.frames) == 3:
                    say("provisional", number=1, text="the weather", notice="")
                if len(self.frames) == 6:
                    say("final", number=1, text="the weather is bad", notice="", delay_s=0.2)
                    say("provisional", number=2, text="tomorrow", notice="")
            elif not self.first:
                self.first.append(json.loads(message))
                simulated = self.first[0]["allow_simulated"]
                say("ready", model="m", look_ahead_s=1.5, simulated_only=simulated)
            elif json.loads(message) == {"type": "end"}:
                say("final", number=2, text="that is all", notice="", delay_s=0.1)
                say("closed", frames=len(self.frames), seconds=1.0)
                socket.close(code=1000)

        socket.on_message(heard)


def test_live_text_grows_while_frames_go_out(page: Any, arrived: Arrived, address: str) -> None:
    if arrived.package != "stub":
        pytest.skip("without a graphics card the models are too slow for it")
    reading = Reading(page, address)
    page.wait_for_selector("#live-button:enabled")  # it shows once the page knows of a live model
    page.focus("#live-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live-text:has-text('the weather is bad')")
    page.wait_for_selector("#live-provisional:has-text('tomorrow')")
    assert "about 1.5 seconds after" in page.inner_text("#live-words")
    assert page.evaluate("document.activeElement.id") == "live-stop"
    page.keyboard.press("Enter")
    page.wait_for_selector("#live-text:has-text('that is all')")
    assert page.inner_text("#live-provisional") == ""
    assert not page.is_visible("#live-simulated")
    wait_until_off(page, "live-preview")
    (first,) = reading.first
    assert (first["task"], first["layout"]) == ("translate", "holistic")
    assert 5 <= first["fps"] <= 25
    keypoints = np.frombuffer(reading.frames[0], "<f4").reshape(len(HOLISTIC), 4)
    eye = HOLISTIC.index["POSE_LANDMARKS:LEFT_EYE"]
    width, height = first["size"]
    np.testing.assert_allclose(keypoints[eye], (0.002 * width, height / 2, -0.25, 0.75), rtol=1e-5)
    assert not arrived.uploads(), "nothing but keypoints left the page"


SIGHTS = (
    ("light", (1280, 900), "{preload: false, resultTypes: ['violations']}"),
    ("dark", (390, 844), "{preload: false, runOnly: ['color-contrast', 'target-size']}"),
)
"""Colours, size of the window, and what axe is asked: all once, then what these two change."""


def test_axe_finds_nothing_in_any_state(
    page: Any, arrived: Arrived, address: str, tmp_path: Path
) -> None:
    if arrived.package != "stub":
        pytest.skip("the page is the same")
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `npm ci` in studio/ gets it")
    Reading(page, address)
    page.wait_for_selector("#version:not(:empty)")
    page.evaluate(AXE.read_text())
    told: list[str] = []

    def look(state: str) -> None:
        """As a computer shows it by day, and a phone by night."""
        for scheme, (width, height), rules in SIGHTS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            if page.evaluate("document.documentElement.scrollWidth") > width:
                told.append(f"{state}, {scheme}: wider than the window")
            found = page.evaluate(f"axe.run(document, {rules})")
            told.extend(
                f"{state}, {scheme}: {v['id']}: {v['nodes'][0]['html'][:120]} "
                f"{v['nodes'][0]['failureSummary'][:200]}"
                for v in found["violations"]
            )
            if PICTURED:
                page.screenshot(path=Path(PICTURED, f"{state}-{scheme}.png"), full_page=True)
        page.emulate_media(color_scheme=SIGHTS[0][0])
        page.set_viewport_size({"width": 1280, "height": 900})

    write_pose_slices(EPISODE.slices(), EPISODE.frames, tmp_path / "0.pose")
    cues = compose(EPISODE.speech, "vtt")
    (tmp_path / "0.vtt").write_bytes(cues)
    clip = read_pose(tmp_path / "0.pose", Span(4.0, 8.0))
    write_pose(clip, tmp_path / "short.pose")
    write_pose(replace(clip, origin=Origin("somebody")), tmp_path / "person.pose")
    write_pose(clip.with_points(clip.points, 0 * clip.confidence), tmp_path / "nobody.pose")
    (tmp_path / "arabic.vtt").write_bytes(
        compose([replace(cue, text="مرحبا بكم في الأخبار") for cue in EPISODE.speech], "vtt")
    )

    def ask(task: str, file: str, then: str) -> None:
        page.check(f"#task-{task}")
        page.set_input_files("#recording-input", tmp_path / file)
        page.click("#begin")
        page.wait_for_selector(f"{then}:not([hidden])")

    look("empty")
    page.set_input_files("#recording-input", {"name": "a.mp4", "mimeType": "", "buffer": b"a"})
    look("a-video-stays-here")
    page.uncheck("#here")
    look("a-video-is-sent")
    page.click("#camera-button")
    page.wait_for_selector("#record:enabled")
    look("camera")
    page.keyboard.press("Escape")
    page.route("**/v1/translate", lambda route: None)
    ask("translate", "short.pose", "#progress")
    look("job-running")
    page.click("#cancel")
    page.wait_for_selector("#refusal-title:has-text('Cancelled')")
    look("cancelled")
    page.unroute("**/v1/translate")
    page.click("#refusal >> text=Back")
    ask("translate", "person.pose", "#refusal")
    look("simulated-only")
    page.click("text=About this model")
    page.wait_for_selector("#card-text h3:has-text('sim')")
    look("model-card")
    page.keyboard.press("Escape")
    page.click("#refusal >> text=Show me the nonsense")
    page.wait_for_selector("#work:not([hidden])")
    page.click("summary")
    look("translated")
    page.click("#again")
    ask("translate", "nobody.pose", "#refusal")
    assert page.inner_text("#refusal-title") == "No signing found"
    look("no-signing")
    page.click("#refusal >> text=Back")
    for task in ("recognize", "segment"):
        ask(task, "short.pose", "#work")
        look(task)
        page.click("#again")
    for name in ("0", "arabic"):
        page.set_input_files("#subtitles-input", tmp_path / f"{name}.vtt")
        ask("align", "0.pose", "#work")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("l")
        look(f"aligned-{name}")
        if name == "0":
            page.keyboard.press("?")
            look("help")
            page.keyboard.press("Escape")
            page.click("#again")
    page.click("#again")
    page.click("#live-button")
    page.wait_for_selector("#live-provisional:has-text('tomorrow')")
    look("live")
    page.click("#live-stop")
    page.wait_for_selector("#live-words:has-text('Stopped')")
    look("live-over")
    assert not told, "\n".join(told)
