"""A server for tests: small stand-ins for models, a simulated episode, a client of the API."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi.testclient import TestClient

from signloom.data.clip import PoseClip
from signloom.data.layouts import LAYOUTS
from signloom.inference.recognize import Candidate, Recognition
from signloom.inference.translate import Translation
from signloom.methods.model import tasks_of
from signloom.web.batches import Batches
from signloom.web.limits import Limits
from signloom.web.models import Held, Models
from signloom.web.server import build


class Counting:
    """Translates a clip to the number of its frames; ``slow`` seconds a batch."""

    layout = LAYOUTS["ps76"]
    config = SimpleNamespace(beam=2)

    def __init__(self, name: str, simulated_only: bool, slow: float = 0.0):
        self.name, self.simulated_only, self.slow = name, simulated_only, slow

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        time.sleep(self.slow)
        if any(clip.id == "bad" for clip in clips):
            raise ValueError("a bad clip")
        others = tuple((f"about {k}", -float(k)) for k in range(1, beam or 2))
        return [Translation(f"{len(clip)} frames", 0.0, others) for clip in clips]

    def seconds_read(self, clip: PoseClip) -> float:
        return 5.0


class Naming:
    """Names every clip "book"."""

    layout = LAYOUTS["ps76"]
    name, simulated_only, reads_lips = "naming", True, False
    glosses = ("book", "house")

    def recognize(
        self, clips: Sequence[PoseClip], top: int = 5, lips: Any = None
    ) -> list[Recognition]:
        told = (Candidate("book", 0.9), Candidate("house", 0.1))[:top]
        return [Recognition(told) for _ in clips]


def held(model: Any) -> Held:
    return Held(model.name, model, tasks_of(model), ("sim-1",), f"# {model.name}\n", Batches(model))


def models() -> Models:
    """A translator of simulated signing, one of any, and a recogniser."""
    return Models([held(Counting("sim", True)), held(Counting("real", False)), held(Naming())])


def client(
    limits: Limits = Limits(), token: str | None = None, holistic: Path | None = None, **more: Any
) -> TestClient:
    app = build(models(), limits, token, ("testserver",), holistic)
    return TestClient(app, **more)


def finished(api: TestClient, answer: Any) -> dict[str, Any]:
    """The last state of the job that an answer began."""
    assert answer.status_code == 202, answer.text
    return events(api, answer.json()["id"])[-1][1]


def events(api: TestClient, id: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, data) of every event of a job; waits for its end."""
    told = []
    for block in api.get(f"/v1/jobs/{id}/events").text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            told.append((fields["event"], json.loads(fields["data"])))
    return told
