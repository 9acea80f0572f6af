"""The plan of a large corpus: its arithmetic, and that the page shows what the command prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.plan import main, plan

ROOT = Path(__file__).parents[2]


def test_hours_and_bytes_by_hand() -> None:
    rates = {
        "extraction": {"frames_per_core_second": 25.0, "pose_bytes_per_frame": 10_000},
        "store": {
            "frames_per_core_second": 25_000.0,
            "bytes_per_frame": 1_000,
            "joined_bytes_per_core_second": 1e9,
        },
        "stitching": {
            "sentences_per_core_second": 100.0,
            "frames_per_sentence": 100.0,
            "text_bytes_per_sentence": 40.0,
        },
        "aligning": {"hours_per_core_hour": 100.0},
    }
    extract, align, store, join, stitch, kept = plan(rates, hours=1000, sentences=36e6)
    assert extract.core_hours == pytest.approx(1000)  # 25 frames a second, 25 a second of a core
    assert extract.left == pytest.approx(1000 * 3600 * 25 * 10_000)
    assert align.core_hours == pytest.approx(10)
    assert store.core_hours == pytest.approx(0.65)
    assert store.left == pytest.approx(58.5e9)
    assert join.core_hours == pytest.approx(58.5 / 3600)
    assert stitch.core_hours == pytest.approx(100)
    assert kept.left == pytest.approx(36e6 * 100 * 76 * 7)


def test_the_page_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out.strip()
    assert printed in (ROOT / "docs" / "scale.md").read_text()
    assert json.loads((ROOT / "results" / "rates.json").read_text())["hardware"]["cpu"]
