"""Requests made from the OpenAPI document: nothing comes back that the document does not say.

SIGNLOOM_EXAMPLES: how many random requests an operation, beside those at its limits; a few for every day.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest

pytest.importorskip("schemathesis", reason="needs the optional part 'dev'")
pytest.importorskip("fastapi", reason="needs the optional part 'serve'")

import schemathesis
from fastapi.testclient import TestClient
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine.events import NonFatalError, ScenarioFinished

from signloom.web.limits import Limits
from signloom.web.server import build
from tests.web.served import events, models
from tests.web.test_server import frames, tiny

EXAMPLES = int(os.environ.get("SIGNLOOM_EXAMPLES", "2"))
TOKEN = "t0ken"
CONFIG = {
    "seed": 1,
    "continue-on-failure": True,
    "auth": {"openapi": {"token": {"bearer": TOKEN}}},
    "generation": {"max-examples": EXAMPLES, "deterministic": True},
    "phases": {"stateful": {"enabled": False}, "coverage": {"unexpected-methods": ["DELETE"]}},
    "operations": [
        # What a file must hold is not in the document: it may refuse what that allows.
        {"include-tag": "tasks", "checks": {"positive_data_acceptance": {"enabled": False}}}
    ],
}
GOOD: dict[str, Any] = {
    "media": json.dumps(
        {"layout": "ps76", "fps": 25, "points": [[None] * 76], "origin": tiny().origin.to_json()}
    ),
    "subtitles": "WEBVTT\n\n00:00.000 --> 00:00.100\na\n",
    "cues": '[{"start": 1, "end": 2}]',
    "locked": "[]",
    "format": "srt",
    "name": "ps76",
}
"""What a field wants, where its description cannot say it."""
LEFT_OUT = ("model", "tier", "signer_box", "start_timecode", "result")
"""What then is not sent."""
NAMED = {"schema": {"type": "string"}, "example": 'form-data; filename="a.vtt"'}


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_every_answer_is_as_described() -> None:
    app = build(models(), Limits(queue=10_000, client=10_000, keep=600.0), TOKEN)
    for path in ("/v1/align", "/v1/export"):  # subtitles are known by their name
        form = app.openapi()["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        form["encoding"] = {"subtitles": {"headers": {"Content-Disposition": NAMED}}}
    keys = {"authorization": f"Bearer {TOKEN}"}
    met: set[tuple[str, int]] = set()
    wrong: list[str] = []
    with TestClient(app, headers=keys) as client:
        job, deleted = (
            client.post("/v1/recognize", files={"media": ("a.json", frames())}).json()["id"]
            for _ in range(2)
        )
        events(client, job)
        schema = schemathesis.openapi.from_asgi(
            "/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG), headers=keys
        )
        turns: Counter[str] = Counter()

        def half_good(context: Any, given: Any) -> Any:
            """Every second time what is made up, the other times what is good where it matters."""
            turns[context.operation.label] += 1
            if not isinstance(given, dict) or turns[context.operation.label] % 2 == 0:
                return given
            good = GOOD | {"id": deleted if context.operation.method == "delete" else job}
            return {n: good.get(n, value) for n, value in given.items() if n not in LEFT_OUT}

        for where in ("map_path_parameters", "map_query", "map_body"):
            schema.hook(where)(half_good)
        for event in engine.from_schema(schema).execute():
            if isinstance(event, NonFatalError):
                wrong.append(f"{event.label}: {event.value}")
            if not isinstance(event, ScenarioFinished):
                continue
            for each in event.recorder.interactions.values():
                if each.response is not None:
                    met.add((event.label or "", each.response.status_code))
            for check in (each for case in event.recorder.checks.values() for each in case):
                if check.failure_info is not None:
                    wrong.append(f"{event.label}: {check.name}: {check.failure_info.failure}")
    assert not wrong, "\n\n".join(wrong)
    tasks = [f"POST /v1/{task}" for task in ("align", "recognize", "segment", "translate")]
    assert {(task, status) for task in tasks for status in (202, 401, 422)} <= met
    assert {("GET /v1/jobs/{id}/result", status) for status in (200, 401, 404, 422)} <= met
