"""Writes docs/benchmark-results.md from results/benchmarks.json: python -m benchmarks.page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.ratio import LINE
from signloom.data.files import writing

ROOT = Path(__file__).parent.parent
RECORD, PAGE = ROOT / "results" / "benchmarks.json", ROOT / "docs" / "benchmark-results.md"

HEAD = """# Results of the benchmarks

Written by `python -m benchmarks.page` from `results/benchmarks.json`, which `make bench` writes; what the
benchmarks are: [benchmarks.md](benchmarks.md). Higher is better in every ratio, whatever is compared; below 1.3 it is
no difference on a machine that others use too.
"""


def page(record: dict[str, Any]) -> str:
    """The record as Markdown: its ratios, and all that each benchmark printed beside them."""
    hardware = record["hardware"]
    versions = ", ".join(f"{name} {hardware[name]}" for name in ("python", "torch", "numpy"))
    parts = [
        HEAD,
        f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['system']}; {versions}.\n",
        "| benchmark | ratio of | | what is compared |\n|---|---|---:|---|",
    ]
    for name, result in record["benchmarks"].items():
        for line in result["lines"]:
            if found := LINE.match(line):
                said = line[found.end() :].removesuffix(")")
                parts.append(f"| {name} | {found[1]} | {float(found[2]):g} | {said} |")
    for name, result in record["benchmarks"].items():
        told = [line for line in result["lines"] if not LINE.match(line)]
        ended = "" if not result["exit"] else f"; **it failed with {result['exit']}**"
        peak = f", peak memory {result['peak_mib']:,} MiB" if "peak_mib" in result else ""
        at = f"Commit {result['commit']}; {result['seconds']:g} s"
        parts.append(f"\n## {name}\n\n{at}{peak}{ended}.\n")
        if told:
            parts.append("```\n" + "\n".join(told) + "\n```")
    return "\n".join(parts) + "\n"


def main() -> None:
    with writing(PAGE, overwrite=True) as temporary:
        temporary.write_text(page(json.loads(RECORD.read_text("utf-8"))), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
