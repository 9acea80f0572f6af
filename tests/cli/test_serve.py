"""signloom serve: what it says before it listens; the server itself is tested in tests/web."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

from signloom.cli.main import VERBS, main
from signloom.web.models import Models
from tests.web.served import models


def serve(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setitem(VERBS, "serve", "The studio.")
    monkeypatch.setattr(Models, "loaded", classmethod(lambda cls, names: models()))
    with pytest.raises(SystemExit) as stopped:
        main(["serve", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The applications that would have been served."""
    import uvicorn

    served: list[Any] = []

    def run(server: Any, sockets: list[socket.socket]) -> None:
        served.append(server.config.app)
        for each in sockets:
            socket.create_connection(each.getsockname()[:2]).close()  # it listens already
            each.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    return served


def test_on_loopback_without_a_token_and_beyond_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], listening: list[Any]
) -> None:
    assert serve(monkeypatch, "--port", 0) == 0
    assert re.search(r"http://127\.0\.0\.1:\d+ \(sim, real, naming\)", capsys.readouterr().out)
    assert serve(monkeypatch, "--port", 0, "--host", "0.0.0.0") == 0
    assert re.search(r"http://0\.0\.0\.0:\d+/\?token=[\w-]{32} ", capsys.readouterr().out)
    for app in listening:
        app.state.jobs.close()


def test_what_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve(monkeypatch, "--port", port) == 2
        assert f"cannot listen on 127.0.0.1, port {port} (" in capsys.readouterr().err
    assert serve(monkeypatch, "--token", "a b") == 2
    assert "the access token may have letters, digits and" in capsys.readouterr().err
