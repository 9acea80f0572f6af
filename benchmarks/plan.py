"""What a large corpus costs: python -m benchmarks.plan [--hours 2700] [--sentences 22e6] [--cores 64].

Cores, hours and bytes of 2,700 hours of video and 22 M stitched sentences, from the rates of
results/rates.json, which `python -m benchmarks.rates` measured. Prints the table of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FPS = 25
SIGNED = 0.65
"""Share of an hour of video that becomes sentences: of BOBSL 923 of 1,236 hours are signing, of
YouTube-SL-25 833 of 1,468, as arXiv 2512.08040 counts them."""


@dataclass(frozen=True)
class Line:
    """A step of the plan: how many core-hours it takes, and what it leaves on the disk (bytes)."""

    what: str
    rate: str
    core_hours: float
    left: float | None = None


def plan(rates: Mapping[str, Any], hours: float, sentences: float) -> list[Line]:
    """The steps, in order."""
    extract, store, stitch = rates["extraction"], rates["store"], rates["stitching"]
    frames = hours * 3600 * FPS
    signed = SIGNED * frames
    per_core = extract["frames_per_core_second"]
    aligned = rates["aligning"]["hours_per_core_hour"]
    size = signed * store["bytes_per_frame"]
    return [
        Line(
            "`extract`: video to `.pose`",
            f"{per_core:.1f} frames/s a core",
            frames / per_core / 3600,
            frames * extract["pose_bytes_per_frame"],
        ),
        Line("`corpus`: cues onto the signing", f"{aligned:.0f} × real time", hours / aligned),
        Line(
            "`corpus`, `prepare`: sentences into a store (mp203)",
            f"{store['frames_per_core_second']:,.0f} frames/s a core",
            signed / store["frames_per_core_second"] / 3600,
            size,
        ),
        Line(
            "the index joins the store (on one core)",
            f"{store['joined_bytes_per_core_second'] / 1e9:.2f} GB/s",
            size / store["joined_bytes_per_core_second"] / 3600,
        ),
        Line(
            "stitched sentences, once through, while training (nothing is kept but the texts)",
            f"{stitch['sentences_per_core_second']:,.0f} sentences/s a core",
            sentences / stitch["sentences_per_core_second"] / 3600,
            sentences * stitch["text_bytes_per_sentence"],
        ),
        Line(
            "the same, if it were kept (ps76)",
            f"{stitch['frames_per_sentence']:.0f} frames a sentence",
            0.0,
            sentences * stitch["frames_per_sentence"] * 76 * 7,
        ),
    ]


def table(lines: Sequence[Line], cores: int) -> str:
    """Markdown."""
    rows = [
        f"| step | measured | core-hours | hours on {cores} cores | left on the disk |",
        "|---|---:|---:|---:|---:|",
    ]
    for line in lines:
        alone = 1 if "on one core" in line.what else cores
        hours = (line.core_hours, line.core_hours / alone)
        work = " | ".join(f"{h:,.0f}" if h >= 100 else f"{h:,.1f}" for h in hours)
        work = work if line.core_hours else "– | –"
        rows.append(f"| {line.what} | {line.rate} | {work} | {said(line.left)} |")
    return "\n".join(rows)


def said(size: float | None) -> str:
    """Bytes for people."""
    if size is None:
        return "–"
    return f"{size / 1e12:.1f} TB" if size >= 1e12 else f"{size / 1e9:,.0f} GB"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan", description=__doc__)
    parser.add_argument("--hours", type=float, default=2700, help="of video")
    parser.add_argument("--sentences", type=float, default=22e6, help="stitched ones")
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--rates", type=Path, default=ROOT / "results" / "rates.json")
    options = parser.parse_args(arguments)
    record = json.loads(options.rates.read_text("utf-8"))
    print(table(plan(record["rates"], options.hours, options.sentences), options.cores))
    return 0


if __name__ == "__main__":
    sys.exit(main())
