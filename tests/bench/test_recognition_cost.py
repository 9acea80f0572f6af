"""What gloss writers cost: the decoder counted by hand, and one table with every arm in it; a window of `unified`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.backbone_cost import window
from benchmarks.recognition_cost import Arm, arms, built, main
from signloom.encoders.cost import gmac

ROOT = Path(__file__).parents[2]


def test_a_decoder_counts_as_by_hand() -> None:
    """tiny of AutoSign: 40 frames become 10 places, 3 glosses 4 more."""
    model = built(Arm("autosign", "tiny", "preset", {}), vocabulary=16)
    width, inner, places, text, read_ = 96, 192, 14, 4, 2 * (76 - 23 + 42)
    convolutions = 20 * 3 * read_ * 48 + 10 * 3 * 48 * 96
    block = places * (4 * width**2 + 2 * width * inner) + 2 * places**2 * width
    by_hand = convolutions + 10 * 96 * width + 2 * block + text * width * (16 + 4)
    assert gmac(lambda: model(*model.inputs(40, 3))) * 1e9 == pytest.approx(by_hand)


def test_a_window_of_small_takes_a_fiftieth_of_the_paper_s_or_less() -> None:
    small = window("small")
    kept = json.loads((ROOT / "results" / "backbone-cost.json").read_text())["windows"]
    assert small == pytest.approx(kept["small"])
    assert 50 * small <= kept["paper"]


def test_the_table_has_every_preset_encoder_and_stride(tmp_path: Path) -> None:
    main(["--preset", "tiny", "--turns", "1", "--frames", "16", "--glosses", "2",
          "--vocabulary", "9", "-o", str(tmp_path / "cost.json")])  # fmt: skip
    record = json.loads((tmp_path / "cost.json").read_text())
    found = record["arms"]
    assert len(found) == len(list(arms("tiny"))) == 7 + 2 * 4 * 4
    assert (found[0]["method"], found[0]["preset"], found[0]["latency_ratio"]) == (
        "autosign", "tiny", 1.0,
    )  # fmt: skip
    named = {(row["method"], row["what"]): row for row in found if row["preset"] == "tiny"}
    for method in ("autosign", "ctc"):
        plain = named[method, "preset"]["gmac"]
        assert plain < named[method, "CNN-2, stride 1"]["gmac"]
        counts = [named[method, f"Transformer, stride {s}"]["gmac"] for s in (1, 2, 4, 8)]
        assert counts == sorted(counts, reverse=True)
