"""When a recogniser had better say nothing: python -m benchmarks.unknown [RECOGNISER] [--limit 1026] [-o results/unknown.json]

A recogniser of sim-words-v1 small (the bundled one unless told) is shown signs of the test split: its own; words
of sim-words-v1 base that it has never seen; and the same words of a second simulated sign language. Of each group:
how many it takes for one of its glosses (`Calibration.knows`), with a 95 % bootstrap interval over clips. Beside that
stands how well its own signs are told from each other group without a threshold: the area under the curve
of true and false positives (50 = not at all), of the evidence that the threshold is for (`inference.recognize.evidence`)
and of three others that the logits offer. All of it is simulated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import mannwhitneyu

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.inference.recognize import BUNDLED, evidence, probabilities
from signloom.methods.isolated import Isolated
from signloom.methods.load import load
from signloom.simulator.corpora import SimulatedWords

ROOT = Path(__file__).parent.parent
OWN = "its own signs"
EVIDENCE: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "best logit above the mean (what is used)": evidence,
    "largest probability": lambda logits: probabilities(logits).max(axis=1),
    "best logit above the second": lambda logits: np.diff(np.sort(logits, axis=1)[:, -2:])[:, 0],
    "log of the sum of powers": lambda logits: np.asarray(logsumexp(logits, axis=1)),
}


def groups(model: Isolated) -> Iterator[tuple[str, Iterator[Sample]]]:
    """Each group and its clips, every word once before any comes again."""
    small, base = (SimulatedWords(size, "test", model.layout) for size in ("small", "base"))
    known = set(model.glosses)
    yield OWN, iter(small)
    strange = [word for word in base.words if word not in known]
    times = range(len(base) // len(base.words))
    yield "words it has not seen", (base.sample(word, time) for time in times for word in strange)
    yield "another sign language", iter(SimulatedWords("small", "test", model.layout, 2))


def told_apart(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The area under the curve, %: how often a sign of its own has more of the evidence than another one."""
    return 100 * float(mannwhitneyu(own, other).statistic) / (len(own) * len(other))


def share(known: NDArray[np.bool_]) -> dict[str, Any]:
    """In %, with the interval."""
    rng = np.random.default_rng(0)
    means = rng.choice(known, (1_000, len(known))).mean(axis=1)
    low, high = 100 * np.quantile(means, (0.025, 0.975))
    return {
        "known": round(100 * float(known.mean()), 2),
        "ci95": [round(low, 2), round(high, 2)],
        "n": len(known),
    }


def measure(checkpoint: str, limit: int) -> dict[str, Any]:
    model = load(checkpoint)
    if not isinstance(model, Isolated) or model.calibration is None:
        raise UsageError(f"{checkpoint} is no recogniser that is calibrated; give another")
    report: dict[str, Any] = {"checkpoint": checkpoint, "simulated": True, "groups": {}}
    report["threshold"] = model.calibration.threshold
    own: NDArray[np.float64] | None = None
    for name, samples in groups(model):
        logits = model.logits([sample.clip for sample in islice(samples, limit)])
        found = share(np.array([model.calibration.knows(row) for row in logits]))
        if own is None:
            own = logits
        else:
            found["told_apart"] = {
                how: round(told_apart(of(own), of(logits)), 2) for how, of in EVIDENCE.items()
            }
        report["groups"][name] = found
        print(name, json.dumps(found), flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", help="the bundled recogniser")
    parser.add_argument("--limit", type=int, default=1026, help="clips of a group (1026)")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = asked.checkpoint or str(BUNDLED.relative_to(ROOT))
    report = {"commit": commit(ROOT), "hardware": hardware(), **measure(checkpoint, asked.limit)}
    if asked.out:
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
