"""The notebook runs from top to bottom, and says what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import signloom

NOTEBOOK = Path(signloom.__file__).parent.parent / "docs" / "first-look.ipynb"


def test_the_notebook_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the notebook draws with it")
    monkeypatch.setenv("MPLBACKEND", "agg")
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code"), "clear them"
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["translation"].text in capsys.readouterr().out
    assert names["clip"].simulated
    drawn = [len(axis.lines) for axis in names["axes"]]
    assert min(drawn) > 40, "the skeleton is drawn at each moment"
    names["plt"].close(names["figure"])
    # Found at the signing, seconds after the speech.
    errors = {
        what: sum(abs(a.span.start - b.span.start) for a, b in zip(of, names["episode"].signing, strict=False))
        for what, of in (("said", names["cues"]), ("found", names["aligned"].cues))
    }  # fmt: skip
    assert errors["found"] < errors["said"] / 2
