"""The HTTP API: what comes out is what the command line says; what is refused, how, and before what."""

from __future__ import annotations

import errno
import json
import shutil
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

from fastapi.testclient import TestClient

from signloom.cli.main import VERBS, main
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import LAYOUTS
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.methods.model import tasks_of
from signloom.pose.files import read_pose, write_pose, write_pose_slices
from signloom.simulator.episode import SimulatedEpisodes
from signloom.text.subtitles import compose, parse_subtitles, read_subtitles
from signloom.web import media as media_
from signloom.web.batches import Batches
from signloom.web.jobs import Jobs
from signloom.web.limits import Limits
from signloom.web.media import kind_of
from signloom.web.models import Models
from tests.extract.videos import person, write_video
from tests.web.served import Counting, client, events, finished

EPISODE = SimulatedEpisodes(size="tiny", split="test")[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.pose and 0.vtt of a simulated episode, short.pose, still.pose and a video a.mp4."""
    folder = tmp_path_factory.mktemp("files")
    write_pose_slices(EPISODE.slices(), EPISODE.frames, folder / "0.pose")
    (folder / "0.vtt").write_bytes(compose(EPISODE.speech, "vtt"))
    clip = read_pose(folder / "0.pose", Span(4.0, 8.0))
    write_pose(replace(clip, id="short"), folder / "short.pose")
    nobody = np.where(np.isin(clip.layout.articulators, ("left_hand", "right_hand")), 0, 1)
    gone = clip.confidence * nobody.astype(np.float32)
    write_pose(clip.with_points(clip.points, gone), folder / "still.pose")
    write_video(folder / "a.mp4", [person(192, 256)] * 6, 10)
    return folder


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    with client() as api:
        yield api


def send(
    api: TestClient, task: str, path: Path, *, subtitles: Path | None = None, **form: Any
) -> Any:
    parts = {"media": (path.name, path.read_bytes())}
    if subtitles is not None:
        parts["subtitles"] = (subtitles.name, subtitles.read_bytes())
    return api.post(f"/v1/{task}", files=parts, data=form)


def result(api: TestClient, answer: Any) -> dict[str, Any]:
    assert finished(api, answer)["state"] == "done"
    return api.get(f"/v1/jobs/{answer.json()['id']}/result").json()


# --- what comes out ------------------------------------------------------------------------------


def test_a_translation_with_its_story_and_files(api: TestClient, files: Path) -> None:
    answer = send(api, "translate", files / "short.pose", alternatives=2)
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    told = events(api, answer.json()["id"])
    assert [name for name, _ in told] == ["queued", "running", "running", "done"]
    assert [data["stage"] for _, data in told[1:]] == ["activity", "translate", "translate"]
    found = result(api, answer)
    assert (found["text"], found["model"]["name"]) == ("100 frames", "sim")
    assert [each["text"] for each in found["alternatives"]] == ["about 1", "about 2"]
    assert found["clip"]["simulated"] is True
    assert found["phrases"]
    where = f"/v1/jobs/{answer.json()['id']}/result"
    vtt = api.get(where, params={"format": "vtt"})
    assert [c.text for c in parse_subtitles(vtt.content, "vtt").cues] == ["100 frames"]
    assert "short.vtt" in vtt.headers["content-disposition"]
    assert api.get(where, params={"format": "pose"}).content == (files / "short.pose").read_bytes()
    eaf = api.get(where, params={"format": "eaf"}).content
    assert parse_subtitles(eaf, "eaf", tier="translation").cues[0].text == "100 frames"
    assert api.get(where, params={"format": "doc"}).status_code == 422
    # Read again from the middle, and after it is forgotten.
    later = api.get(f"/v1/jobs/{answer.json()['id']}/events", headers={"last-event-id": "1"}).text
    assert later.startswith("id: 2\nevent: running\n")
    assert api.delete(f"/v1/jobs/{answer.json()['id']}").status_code == 204
    assert api.get(where).status_code == 404
    assert not any(api.app.state.jobs.folder.iterdir())  # type: ignore[attr-defined]


def test_a_long_clip_is_read_in_part_and_that_is_said(api: TestClient, files: Path) -> None:
    found = result(api, send(api, "translate", files / "0.pose"))
    assert found["seconds_read"] == 5
    assert "reads the first 5.0 s, the rest is not translated" in found["notices"][0]


def test_signs_and_phrases(api: TestClient, files: Path) -> None:
    found = result(api, send(api, "recognize", files / "short.pose", top=1))
    assert found["candidates"] == [{"gloss": "book", "probability": 0.9}]
    answer = send(api, "segment", files / "0.pose")
    found = result(api, answer)
    assert found["model"] is None
    assert 0.3 < found["share"] < 1
    where = f"/v1/jobs/{answer.json()['id']}/result"
    phrases = parse_subtitles(api.get(where, params={"format": "srt"}).content, "srt").cues
    assert [cue.text for cue in phrases[:2]] == ["phrase 1", "phrase 2"]
    assert len(phrases) == len(found["phrases"])


def test_alignment_is_the_command_lines_byte_for_byte(
    api: TestClient, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VERBS, "align", "Cues.")
    out = tmp_path / "o.vtt"
    with pytest.raises(SystemExit) as stopped:
        main(
            [
                "align",
                str(files / "0.pose"),
                str(files / "0.vtt"),
                "-o",
                str(out),
                "--model",
                "none",
            ]
        )
    assert not stopped.value.code
    answer = send(api, "align", files / "0.pose", subtitles=files / "0.vtt", model="none")
    found = result(api, answer)
    where = f"/v1/jobs/{answer.json()['id']}/result"
    assert api.get(where, params={"format": "vtt"}).content == out.read_bytes()
    assert {cue["level"] for cue in found["cues"]} <= {"high", "medium", "low", "not placed"}
    tiers = api.get(where, params={"format": "eaf"}).content
    aligned = parse_subtitles(tiers, "eaf", tier="cues aligned").cues
    assert [cue.text for cue in aligned] == [cue.text for cue in read_subtitles(out).cues]

    # Locked elsewhere, the cue stays there and the rest goes around it.
    new = found["cues"][4]["new"]
    lock = {"cue": 5, "start": new["start"] + 0.2, "end": new["end"] + 0.2}
    again = result(
        api,
        send(
            api, "align", files / "0.pose", subtitles=files / "0.vtt", model="none",
            locked=json.dumps([lock]),
        ),
    )  # fmt: skip
    cue = again["cues"][4]
    assert cue["flags"] == ["locked"]
    assert cue["new"] == {"start": round(lock["start"], 3), "end": round(lock["end"], 3)}
    assert again["cues"][3]["new"]["end"] <= cue["new"]["start"] + 1e-6

    # What the page corrected comes back in the file, and nothing else changes.
    cues = [cue["new"] for cue in again["cues"]]
    parts = {"subtitles": ("0.vtt", (files / "0.vtt").read_bytes())}
    kept = api.post("/v1/export", files=parts, data={"cues": json.dumps(cues), "format": "vtt"})
    spans = [c.span for c in parse_subtitles(kept.content, "vtt").cues]
    assert [(s.start, s.end) for s in spans] == [(c["start"], c["end"]) for c in cues]
    unmoved = [
        {"start": c.span.start, "end": c.span.end} for c in read_subtitles(files / "0.vtt").cues
    ]
    same = api.post("/v1/export", files=parts, data={"cues": json.dumps(unmoved), "format": "vtt"})
    assert same.content == (files / "0.vtt").read_bytes()
    short = api.post("/v1/export", files=parts, data={"cues": "[]", "format": "vtt"})
    assert (short.status_code, "has 0 places" in short.json()["detail"]) == (422, True)


def test_frames_written_as_json_are_the_pose_file(api: TestClient, files: Path) -> None:
    clip = read_pose(files / "short.pose")
    said = {
        "layout": clip.layout.name,
        "fps": clip.fps,
        "size": clip.size,
        "origin": clip.origin.to_json(),
        "points": [
            [point if there else None for point, there in zip(row, seen, strict=True)]
            for row, seen in zip(clip.points.tolist(), clip.present.tolist(), strict=True)
        ],
        "confidence": clip.confidence.tolist(),
    }
    parts = {"media": ("short.json", json.dumps(said).encode())}
    answer = api.post("/v1/translate", files=parts)
    assert result(api, answer)["text"] == "100 frames"
    written = api.get(f"/v1/jobs/{answer.json()['id']}/result", params={"format": "pose"}).content
    assert written == (files / "short.pose").read_bytes()


def test_a_video_is_extracted_in_its_own_process_and_deleted(api: TestClient, files: Path) -> None:
    refused = send(api, "translate", files / "a.mp4")
    assert (refused.status_code, refused.json()["kind"]) == (422, "simulated-only")
    assert "learnt from simulated signing only" in refused.json()["detail"]
    pytest.importorskip("mediapipe", reason="needs the optional part 'extract'")
    answer = send(api, "translate", files / "a.mp4", model="real")
    told = events(api, answer.json()["id"])
    stages = list(dict.fromkeys(data["stage"] for _, data in told))
    assert stages[:4] == ["", "wait", "extract", "activity"]
    # A still picture without hands: said plainly, and nothing of it is kept.
    assert told[-1][1]["error"]["kind"] == "no-signing"
    assert "a hand is seen in 0 of 6 frames" in told[-1][1]["error"]["detail"]
    assert api.get(f"/v1/jobs/{answer.json()['id']}/result").status_code == 409
    answer = send(api, "translate", files / "a.mp4", allow_simulated=True)
    assert finished(api, answer)["error"]["kind"] == "no-signing"
    time.sleep(0.2)
    left = [path for path in api.app.state.jobs.folder.rglob("upload*.mp4")]  # type: ignore[attr-defined]
    assert not left


def test_no_signing_is_said(api: TestClient, files: Path) -> None:
    for task in ("translate", "recognize"):
        told = finished(api, send(api, task, files / "still.pose"))
        assert (told["state"], told["error"]["kind"]) == ("failed", "no-signing")
    assert "no signing found in still.pose" in told["error"]["detail"]


# --- what is refused -----------------------------------------------------------------------------


def tiny() -> PoseClip:
    layout = LAYOUTS["ps76"]
    points = np.ones((5, len(layout), 3), np.float32)
    origin = Origin("signloom-simulator", "x")
    return PoseClip(points, points[:, :, 0], 25.0, layout, "tiny", origin, (10, 10))


def frames(**changes: Any) -> bytes:
    clip = tiny()
    said: dict[str, Any] = {
        "layout": "ps76", "fps": 25, "points": clip.points.tolist(), "origin": clip.origin.to_json()
    }  # fmt: skip
    return json.dumps(said | changes).encode()


POINT = [1.0, 1.0]
BAD_MEDIA: list[tuple[str, bytes, int, str, str]] = [
    ("empty.mp4", b"", 415, "unsupported", "is no recording that is read here"),
    ("notes.mp4", b"dear diary, today I", 415, "unsupported", "expected a video"),
    ("a.zip", b"PK\3\4" + bytes(60), 415, "unsupported", "skeleton frames as a JSON object"),
    ("cut.mp4", b"\0\0\0\x18ftypmp42" + bytes(200), 422, "media", "cut.mp4"),
    ("cut.pose", struct.pack("<f", 0.2) + bytes(30), 422, "media", "cut.pose"),
    ("a.json", b'{"layout": ', 422, "media", "a.json is not JSON"),
    ("a.json", b"{" * 100_000, 422, "media", "a.json is not JSON"),
    ("a.json", frames(layout="ps77"), 422, "media", "did you mean 'ps76'"),
    ("a.json", frames(fps="25"), 422, "media", "fps '25', expected frames a second"),
    ("a.json", frames(fps=float("nan")), 422, "media", "fps nan"),
    ("a.json", frames(points=[]), 422, "media", "got none"),
    ("a.json", frames(points=[[POINT] * 76, [POINT] * 75]), 422, "media", "76 keypoints"),
    ("a.json", frames(points=[["x"] * 76]), 422, "media", "give every frame all keypoints"),
    ("a.json", frames(points=[[POINT] * 70]), 422, "media", "layout 'ps76', got (1, 70, 3)"),
    ("a.json", frames(confidence=[[1]]), 422, "media", "confidence is not 5 × 76 numbers"),
    ("a.json", frames(size="big"), 422, "media", "'origin' or 'size' that cannot be read"),
    ("a.json", frames(layout="boston3", points=[[POINT] * 3] * 5), 422, "request", "boston3"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "status", "kind", "words"), BAD_MEDIA, ids=range(len(BAD_MEDIA))
)
def test_bad_media(
    api: TestClient, name: str, data: bytes, status: int, kind: str, words: str
) -> None:
    answer = api.post("/v1/translate", files={"media": (name, data)})
    assert (answer.status_code, answer.json()["kind"]) == (status, kind), answer.text
    assert words in answer.json()["detail"]
    assert str(api.app.state.jobs.folder) not in answer.text  # type: ignore[attr-defined]


BAD_FORMS: list[tuple[str, dict[str, Any], str]] = [
    ("translate", {"model": "reel"}, "did you mean 'real'"),
    ("translate", {"model": "naming"}, "cannot translate, only recognize"),
    ("translate", {"beam": "0"}, "beam: Input should be greater than or equal to 1"),
    ("translate", {"alternatives": "many"}, "alternatives: "),
    ("translate", {"beams": "4"}, "beams: there is no such field (did you mean 'beam'?); "),
    ("recognize", {"top": "51"}, "top: "),
    ("segment", {"signer_box": "1,2"}, "signer_box is '1,2', expected 'auto' or"),
    ("align", {"offset": "nan"}, "offset: "),
    ("align", {"locked": "[{"}, "locked is not a list"),
    ("align", {"locked": '[{"cue": 0, "start": 1, "end": 2}]'}, "locked: 0.cue"),
    ("align", {"locked": '[{"cue": 1, "start": 2, "end": 1}]'}, "before its start"),
    ("align", {"locked": '[{"cue": 1, "start": 1, "end": 1e999}]'}, "locked: 0.end"),
    ("align", {"locked": '[{"cue": 999, "start": 1, "end": 2}]'}, "but there are cues 1 to"),
    ("align", {"tier": "words"}, "no tiers"),
    ("align", {"start_timecode": "100"}, "start before start_timecode"),
]


@pytest.mark.parametrize(("task", "form", "words"), BAD_FORMS, ids=range(len(BAD_FORMS)))
def test_bad_forms(
    api: TestClient, files: Path, task: str, form: dict[str, Any], words: str
) -> None:
    texts = files / "0.vtt" if task == "align" else None
    answer = send(api, task, files / "short.pose", subtitles=texts, **form)
    assert (answer.status_code, answer.json()["kind"]) in ((422, "request"), (422, "subtitles"))
    assert words in answer.json()["detail"]


def test_options_are_not_passed_over_in_the_address_or_the_second_time(
    api: TestClient, files: Path
) -> None:
    media = ("media", ("a.pose", (files / "short.pose").read_bytes()))
    told = api.post("/v1/translate?beam=4", files=[media])
    assert (told.status_code, "behind '?'" in told.json()["detail"]) == (422, True)
    told = api.post("/v1/translate", files=[media, media])
    assert (told.status_code, told.json()["detail"]) == (
        422,
        "media: is there 2 times; send it once",
    )
    texts = {"subtitles": ("a.vtt", (files / "0.vtt").read_bytes())}
    told = api.post("/v1/export", files=texts, data={"cues": "[]", "formt": "srt"})
    assert (told.status_code, "did you mean 'format'" in told.json()["detail"]) == (422, True)


def test_bad_subtitles(api: TestClient, files: Path) -> None:
    pose = ("0.pose", (files / "0.pose").read_bytes())

    def told(name: str, data: bytes) -> tuple[int, str]:
        answer = api.post("/v1/align", files={"media": pose, "subtitles": (name, data)})
        return answer.status_code, answer.json()["detail"]

    assert told("a.doc", b"x")[0] == 415
    status, words = told("a.vtt", b"no webvtt")
    assert (status, "a.vtt" in words) == (422, True)
    assert told("a.srt", b"")[0] == 422
    late = b"WEBVTT\n\n09:00.000 --> 09:01.000\nlate\n"
    assert "longer than the video" in told("a.vtt", late)[1]
    assert api.post("/v1/align", files={"media": pose}).json()["detail"].startswith("subtitles: ")


def test_too_much_is_refused_before_any_work(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(
        bytes=500_000,
        seconds=3.0,
        pixels=192 * 256 - 1,
        subtitle_bytes=2000,
        cues=2,
        json_bytes=5000,
    )
    with client(limits) as api:
        large = api.post("/v1/translate", files={"media": ("a.pose", bytes(600_000))})
        assert (large.status_code, large.json()["kind"]) == (413, "too-large")

        def endless() -> Iterator[bytes]:
            yield b'--x\r\ncontent-disposition: form-data; name="media"; filename="a"\r\n\r\n'
            for _ in range(1000):
                yield bytes(10_000)

        head = {"content-type": "multipart/form-data; boundary=x"}
        unsaid = api.post("/v1/translate", content=endless(), headers=head)
        assert (unsaid.status_code, unsaid.json()["kind"]) == (413, "too-large")
        for name, told in {
            "short.pose": "short.pose is too long: 4 s, expected at most 3 s",
            "a.mp4": "a.mp4 is too large: 256×192 pixels",
        }.items():
            answer = send(api, "segment", files / name)
            assert (answer.status_code, answer.json()["detail"].startswith(told)) == (413, True)
        parts = {"media": ("a.json", frames())}
        assert api.post("/v1/segment", files=parts).status_code == 413
        pose = ("a.pose", b"")
        for data in (b"x" * 2001, (files / "0.vtt").read_bytes()[:1900]):
            texts = {"media": pose, "subtitles": ("a.vtt", data)}
            assert api.post("/v1/align", files=texts).status_code == 413
        assert not any(api.app.state.jobs.folder.iterdir())  # type: ignore[attr-defined]
    with client(replace(limits, pixels=10**6, seconds=0.5)) as api:
        long = send(api, "segment", files / "a.mp4")
        assert (long.status_code, "too long" in long.json()["detail"]) == (413, True)


def test_a_queue_for_each_client_and_for_all(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr("signloom.web.work.done", lambda asked, job: go.wait(30) and {"name": "x"})
    with client(Limits(client=2, queue=3), client=("10.0.0.1", 1)) as api:
        for _ in range(2):
            assert send(api, "segment", files / "short.pose").status_code == 202
        third = send(api, "segment", files / "short.pose")
        assert (third.status_code, third.json()["kind"]) == (429, "busy")
        assert third.headers["retry-after"] == "10"
        other = TestClient(api.app, client=("10.0.0.2", 1))
        assert send(other, "segment", files / "short.pose").status_code == 202
        full = send(other, "segment", files / "short.pose")
        assert (full.status_code, "are waiting here" in full.json()["detail"]) == (429, True)
        go.set()
        deadline = time.monotonic() + 20
        while api.get("/healthz").json()["unfinished"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert send(api, "segment", files / "short.pose").status_code == 202


def test_who_may_ask(files: Path) -> None:
    with client(token="secret-1") as api:
        assert api.get("/healthz").status_code == 200
        for path in ("/", "/v1/models", "/metrics", "/openapi.json", "/static/studio.js"):
            refused = api.get(path)
            assert (refused.status_code, refused.json()["kind"]) == (401, "token")
        assert send(api, "segment", files / "short.pose").status_code == 401
        wrong = {"authorization": "Bearer secret-2"}
        assert api.get("/v1/models", headers=wrong).status_code == 401
        assert api.get("/v1/models?token=secret-1").status_code == 401
        right = {"authorization": "Bearer secret-1"}
        assert api.get("/v1/models", headers=right).status_code == 200
        page = api.get("/?token=secret-1", follow_redirects=False)
        assert (page.status_code, page.headers["location"]) == (303, "/")
        assert "HttpOnly" in page.headers["set-cookie"]
        assert api.get("/v1/models").status_code == 200  # by the cookie
    with client() as api:
        for headers in (
            {"origin": "http://elsewhere.example"},
            {"sec-fetch-site": "cross-site"},
            {"host": "rebound.example"},
            {"host": "[bad"},
        ):
            refused = api.get("/v1/models", headers=headers)
            assert (refused.status_code, refused.json()["kind"]) == (403, "origin")
        assert api.get("/v1/models", headers={"origin": "http://testserver"}).status_code == 200


# --- jobs ----------------------------------------------------------------------------------------


def test_a_cancelled_job_stops_its_work_and_leaves_nothing(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, stopped = threading.Event(), threading.Event()

    def endless(media: Any, limits: Any, say: Any, *_: Any) -> Any:
        entered.set()
        try:
            for done in range(100_000):
                say("extract", done, 100_000)
                time.sleep(0.01)
        finally:
            stopped.set()

    monkeypatch.setattr("signloom.web.work.poses_of", endless)
    with client() as api:
        ids = [send(api, "segment", files / "short.pose").json()["id"] for _ in range(2)]
        assert entered.wait(20)
        told = api.post(f"/v1/jobs/{ids[0]}/cancel").json()
        assert (told["state"], told["stage"]) == ("cancelled", "extract")
        assert api.post(f"/v1/jobs/{ids[0]}/cancel").json()["state"] == "cancelled"
        assert [name for name, _ in events(api, ids[0])][-1] == "cancelled"
        refused = api.get(f"/v1/jobs/{ids[0]}/result")
        assert (refused.status_code, "it is cancelled" in refused.text) == (409, True)
        assert api.delete(f"/v1/jobs/{ids[1]}").status_code == 204  # at work, too
        assert stopped.wait(20)
        folder = api.app.state.jobs.folder  # type: ignore[attr-defined]
        deadline = time.monotonic() + 20
        while any(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(folder.iterdir())
        assert 'state="cancelled",task="segment"} 2.0' in api.get("/metrics").text
    assert not folder.exists()


def test_finished_jobs_are_forgotten_while_the_server_runs(files: Path) -> None:
    with client(Limits(keep=0.2)) as api:
        answer = send(api, "translate", files / "short.pose")
        assert answer.status_code == 202
        folder = api.app.state.jobs.folder  # type: ignore[attr-defined]
        deadline = time.monotonic() + 20
        where = f"/v1/jobs/{answer.json()['id']}"
        while api.get(where).status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert api.get(where).json()["kind"] == "not-found"
        assert not any(folder.iterdir())


def test_a_folder_that_was_tidied_away_is_made_again(files: Path) -> None:
    with client() as api:
        shutil.rmtree(api.app.state.jobs.folder)  # type: ignore[attr-defined]
        assert finished(api, send(api, "recognize", files / "short.pose"))["state"] == "done"


def test_a_failure_of_ours_ends_the_job_and_not_the_server(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("signloom.web.work.poses_of", broken)
    with client() as api:
        for _ in range(6):  # more than there are threads
            told = finished(api, send(api, "segment", files / "short.pose"))
            assert told["error"] == {
                "kind": "failed",
                "detail": "the work failed (RuntimeError: out of luck)",
            }


def test_a_full_disk_is_said(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with client() as api:
        for place in ("server.shutil.copyfileobj", "work.poses_of"):
            with monkeypatch.context() as patched:
                patched.setattr(f"signloom.web.{place}", full)
                told = send(api, "segment", files / "short.pose")
                if told.status_code == 202:
                    assert "disk is full" in finished(api, told)["error"]["detail"]
                else:
                    assert (told.status_code, told.json()["kind"]) == (507, "busy")
        with monkeypatch.context() as patched:
            patched.setattr("tempfile.SpooledTemporaryFile.write", full)
            told = send(api, "segment", files / "short.pose")
            assert told.status_code == 507
            assert "disk is full, so nothing" in told.json()["detail"]
        assert not list(api.app.state.jobs.folder.iterdir())  # type: ignore[attr-defined]


def test_clips_that_wait_go_together_and_a_bad_one_alone() -> None:
    batches = Batches(Counting("slow", True, slow=0.3))
    told: dict[str, Any] = {}

    def ask(id: str) -> None:
        try:
            told[id] = batches.translate(replace(tiny(), id=id)).text
        except ValueError as error:
            told[id] = str(error)

    ids = ["first", "a", "b", "bad"]
    threads = [threading.Thread(target=ask, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert told == {"first": "5 frames", "a": "5 frames", "b": "5 frames", "bad": "a bad clip"}
    assert batches.sizes == [1, 3, 1, 1, 1]
    batches.close()


def test_extraction_is_stopped_from_its_progress(files: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="needs the optional part 'extract'")

    class Enough(Exception):
        pass

    def say(stage: str, done: int, total: int) -> None:
        if stage == "extract" and total:
            raise Enough

    path = tmp_path / "upload.mp4"
    path.write_bytes((files / "a.mp4").read_bytes())
    seen = media_.checked(path, "a.mp4", Limits())
    with pytest.raises(Enough):
        media_.poses_of(seen, Limits(), say)
    assert not path.exists()
    assert media_.ONE_AT_A_TIME.acquire(blocking=False)
    media_.ONE_AT_A_TIME.release()


# --- about ---------------------------------------------------------------------------------------


def test_what_it_says_of_itself(api: TestClient) -> None:
    about = api.get("/v1/server").json()
    assert [model["name"] for model in about["models"]] == ["sim", "real", "naming"]
    assert about["local"] is True
    assert api.get("/v1/models/sim/card").text == "# sim\n"
    assert api.get("/v1/models/none/card").status_code == 404
    assert api.get("/nowhere").json()["kind"] == "not-found"
    assert api.get("/docs").status_code == 404  # it would load from elsewhere
    described = api.get("/openapi.json").json()
    for task in ("translate", "recognize", "segment", "align"):
        statuses = described["paths"][f"/v1/{task}"]["post"]["responses"]
        assert {"202", "401", "403", "408", "413", "415", "422", "429", "501"} <= set(statuses)
    assert {
        "/v1/jobs/{id}/events",
        "/v1/jobs/{id}/result",
        "/v1/export",
        "/metrics",
        "/healthz",
    } <= set(described["paths"])
    policy = api.get("/healthz").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_models_by_what_they_can_do() -> None:
    assert tasks_of(Counting("a", True)) == ("translate",)
    assert tasks_of(object()) == ()
    with pytest.raises(UsageError, match="no model here can translate"):
        Models([]).for_task("translate")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\x1aE\xdf\xa3" + bytes(20), "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (struct.pack("<f", 0.1) + bytes(20), "pose"),
        (b'\xef\xbb\xbf {"layout"', "frames"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"[1, 2]", None),
        (b"", None),
    ],
)
def test_a_file_is_known_by_its_bytes(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind


def test_what_a_killed_server_left_goes_and_a_living_one_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "signloom-serve-killed" / "job").mkdir(parents=True)
    (tmp_path / "signloom-serve-killed" / "job" / "upload.mp4").write_text("a face")
    living = Jobs(Limits())
    other = Jobs(Limits())
    assert {path for path in tmp_path.iterdir()} == {living.folder, other.folder}
    living.close()
    other.close()
    assert not list(tmp_path.iterdir())
