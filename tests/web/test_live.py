"""The live WebSocket: what a file gives comes out, and everything that is wrong is told and closed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from signloom.data.clip import PoseClip
from signloom.data.layouts import LAYOUTS
from signloom.data.timing import Span
from signloom.inference.stream import live
from signloom.simulator.episode import SimulatedEpisodes
from signloom.web.limits import Limits
from tests.web.served import Counting, client

CLIP = SimulatedEpisodes(size="tiny", split="test")[0].clip().cut(Span(0.0, 20.0))
FPS = CLIP.fps
HELLO = {
    "task": "translate",
    "layout": CLIP.layout.name,
    "fps": FPS,
    "size": list(CLIP.size),
    "model": "real",
    "provisional": 0,
}


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    with client() as api:
        yield api


def packed(clip: PoseClip) -> bytes:
    return np.concatenate([clip.points, clip.confidence[..., None]], -1).astype("<f4").tobytes()


def pieces() -> list[bytes]:
    return [packed(CLIP.frames(slice(k, k + 7))) for k in range(0, len(CLIP), 7)]


def until_closed(socket: Any) -> tuple[list[dict[str, Any]], int]:
    """What is said until the socket closes, and with which code."""
    said = []
    try:
        while True:
            said.append(socket.receive_json())
    except WebSocketDisconnect as closed:
        return said, closed.code


def talk(
    api: TestClient, hello: dict[str, Any], messages: Sequence[bytes | str]
) -> tuple[list[dict[str, Any]], int]:
    with api.websocket_connect("/v1/live") as socket:
        socket.send_text(json.dumps(hello))
        for message in messages:
            if isinstance(message, str):
                socket.send_text(message)
            else:
                socket.send_bytes(message)
        return until_closed(socket)


def test_a_stream_says_what_the_file_gives(api: TestClient) -> None:
    session = live(Counting("real", False), "translate", CLIP.layout, FPS)
    whole = session.push(CLIP) + session.finish()
    assert len(whole) > 1
    said, code = talk(api, HELLO | {"provisional": 0.5}, [*pieces(), '{"type": "end"}'])
    assert code == 1000
    assert said[-1] == {"type": "closed", "frames": len(CLIP), "seconds": 20.0}
    ready = said[0]
    assert ready["type"] == "ready"
    assert ready["frame_bytes"] == 16 * len(CLIP.layout)
    assert ready["look_ahead_s"] == pytest.approx(session.look_ahead, abs=0.001)
    assert ready["longest_s"] == 5.0
    final = [each for each in said if each["type"] == "final"]
    assert [(f["number"], f["text"], f["start"], f["end"]) for f in final] == [
        (s.number, s.text, round(s.span.start, 3), round(s.span.end, 3)) for s in whole
    ]
    guesses = [each for each in said if each["type"] == "provisional"]
    assert guesses
    assert {g["number"] for g in guesses} <= {f["number"] for f in final}


def changed(at: int, value: float) -> bytes:
    one = packed(CLIP.frames(slice(0, 2)))
    values = np.frombuffer(one, "<f4").copy()
    values[at] = value
    return values.tobytes()


@pytest.mark.parametrize(
    ("hello", "message", "code", "told"),
    [
        ({}, packed(CLIP.frames(slice(0, 1)))[:-4], 4422, "expected whole frames of"),
        ({}, b"", 4422, "has 0 bytes"),
        ({}, changed(0, np.nan), 4422, "frame 0 of a message has no finite number at keypoint 0"),
        ({}, changed(7, np.inf), 4422, "confidence 0"),
        ({}, changed(0, 1e30), 4422, "a coordinate is 1e\\+30"),
        ({}, "hello", 4422, "a text message came among the frames"),
        ({}, b"0" * ((1 << 20) + 16), 4413, "expected at most 1,048,576"),
        ({"fps": 0}, None, 4422, "fps: Input should be greater than or equal to 5"),
        ({"fps": "fast"}, None, 4422, "fps: "),
        ({"layout": "ps77"}, None, 4422, "there is no layout 'ps77' \\(did you mean"),
        ({"layout": "boston3"}, None, 4422, "does not convert to 'ps76'"),
        ({"task": "align"}, None, 4422, "task: "),
        ({"task": "glosses"}, None, 4422, "cannot do 'glosses' live"),
        ({"model": "rael"}, None, 4422, "there is no model 'rael' here"),
        ({"model": "naming"}, None, 4422, "'naming' cannot do 'translate' live, it can do nothing"),
        ({"model": "sim"}, None, 4422, "has learnt from simulated signing only"),
        ({"provisional": 0.1}, None, 4422, "expected 0 or at least 0.5 seconds"),
        ({"colour": 1}, None, 4422, "colour: "),
        ({"size": [0, 1]}, None, 4422, "size.0: "),
        ({"origin": {"settings": 3}}, None, 4422, "origin.settings: "),
    ],
)
def test_what_is_wrong_is_told_and_closed(
    api: TestClient, hello: dict[str, Any], message: bytes | str | None, code: int, told: str
) -> None:
    said, closed = talk(api, HELLO | hello, [] if message is None else [message])
    assert closed == code
    assert said[-1]["type"] == "error"
    assert re.search(told, said[-1]["detail"]), said[-1]
    if hello.get("model") == "sim":
        assert said[-1]["kind"] == "simulated-only"


@pytest.mark.parametrize("first", ["[", "3", '{"task": 1}', b"\0" * 16])
def test_the_first_message_says_what_comes(api: TestClient, first: str | bytes) -> None:
    with api.websocket_connect("/v1/live") as socket:
        if isinstance(first, str):
            socket.send_text(first)
        else:
            socket.send_bytes(first)
        said, code = until_closed(socket)
    assert code == 4422
    assert '"task": "translate"' in said[-1]["detail"]


def test_simulated_signing_is_let_through(api: TestClient) -> None:
    for more in ({"origin": CLIP.origin.to_json()}, {"allow_simulated": True}):
        said, code = talk(api, HELLO | {"model": "sim"} | more, ['{"type": "end"}'])
        assert code == 1000
        assert said[0]["simulated_only"]


def test_limits_are_told() -> None:
    limits = Limits(stream_idle=0.05, stream_seconds=1.0, client_streams=1)
    with client(limits) as api:
        said, code = talk(api, HELLO, [])
        assert code == 4408
        assert said[-1]["kind"] == "stalled"
        said, code = talk(api, HELLO, [packed(CLIP.frames(slice(0, round(FPS) + 1)))])
        assert code == 4413
        assert "longer than 1 s" in said[-1]["detail"]
    with client(Limits(client_streams=1)) as api:
        with api.websocket_connect("/v1/live") as one:
            one.send_json(HELLO)
            assert one.receive_json()["type"] == "ready"
            assert "signloom_live_streams 1.0" in api.get("/metrics").text
            with api.websocket_connect("/v1/live") as two:
                said, code = until_closed(two)
            assert code == 4429
            assert "you have 1 live streams" in said[-1]["detail"]
        said, code = talk(api, HELLO, ['{"type": "end"}'])
        assert code == 1000


def test_the_token_and_the_origin_are_asked_for() -> None:
    with client(token="secret") as api:
        with api.websocket_connect("/v1/live") as socket:
            said, code = until_closed(socket)
        assert code == 4401
        assert said[-1]["kind"] == "token"
        bearer = {"authorization": "Bearer secret"}
        foreign = bearer | {"origin": "http://evil.example"}
        with api.websocket_connect("/v1/live", headers=foreign) as socket:
            assert until_closed(socket)[1] == 4403
        with api.websocket_connect("/v1/live", headers=bearer) as socket:
            socket.send_json(HELLO)
            assert socket.receive_json()["type"] == "ready"


def test_a_model_that_fails_closes_the_stream_and_no_other(api: TestClient) -> None:
    class Failing(Counting):
        def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> Any:
            raise ValueError("a bad clip")

    from signloom.web.models import Models
    from signloom.web.server import build
    from tests.web.served import held

    app = build(Models([held(Failing("real", False))]), Limits(), None, ("testserver",))
    with TestClient(app) as failing:
        said, code = talk(failing, HELLO, [*pieces(), '{"type": "end"}'])
    assert code == 4500
    assert said[-1]["detail"] == "an unexpected error: ValueError"


def test_models_and_layouts_are_listed(api: TestClient) -> None:
    models = api.get("/v1/models").json()
    assert {m["name"]: m["live"] for m in models} == {
        "sim": ["translate"],
        "real": ["translate"],
        "naming": [],
    }
    told = api.get("/v1/layouts/mp203").json()
    assert told["keypoints"] == list(LAYOUTS["mp203"].keypoints)
    assert api.get("/v1/layouts/mp204").status_code == 404
