"""What runs a model: python -m benchmarks.backends. ONNX Runtime and bf16 against eager float32.

The translator and the recogniser in the package, exported first; one thread. The backends take turns on
the same simulated clips, and the median of the turns counts; ratios above 1 are faster than eager.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.ratio import ratio
from signloom.cli.translate import Backend, computing
from signloom.methods.exported import export
from signloom.methods.load import folder_of, load
from signloom.simulator.corpora import SimulatedSentences, SimulatedWords
from signloom.training.checkpoint import read_checkpoint

TURNS = 7


def measured(what: str, name: str, ask: Callable[[Any], Any]) -> None:
    """Prints what each backend takes."""
    with tempfile.TemporaryDirectory() as folder:
        model = load(name)
        graphs = Path(folder) / "graphs"
        export(model, read_checkpoint(folder_of(name)), graphs, overwrite=False)
        exported = load(graphs)
    models = {Backend.eager: model, Backend.bf16: model, Backend.onnx: exported}
    taken: dict[Backend, list[float]] = {backend: [] for backend in models}
    for turn in range(TURNS + 1):
        for backend, each in models.items():
            began = time.process_time()
            with computing(backend):
                ask(each)
            if turn:
                taken[backend].append(time.process_time() - began)
    middle = {backend: statistics.median(each) for backend, each in taken.items()}
    eager = middle[Backend.eager]
    rest = ", ".join(
        f"{backend.value} {1000 * seconds:.0f} ms ({eager / seconds:.2f}x)"
        for backend, seconds in middle.items()
        if backend is not Backend.eager
    )
    print(f"{what}: eager {1000 * eager:.0f} ms, {rest}", flush=True)
    for backend, seconds in middle.items():
        if backend is not Backend.eager:
            ratio(f"{what}, {backend.value}", eager / seconds, "eager, over the backend")


def main() -> None:
    torch.set_num_threads(1)
    translator = load("bundled-posestitch")
    sentences = SimulatedSentences("small", "test", translator.layout)
    clips = [sentences[i].clip for i in range(16)]
    for n in (1, 16):
        measured(
            f"translate {n} clip{'s' * (n > 1)}, beam 3",
            "bundled-posestitch",
            lambda model, n=n: model.translate(clips[:n], 3),
        )
    words = SimulatedWords("small", "test", load("bundled-recogniser").layout)
    signs = [words[i].clip for i in range(32)]
    for n in (1, 32):
        measured(
            f"recognise {n} clip{'s' * (n > 1)}",
            "bundled-recogniser",
            lambda model, n=n: model.logits(signs[:n]),
        )


if __name__ == "__main__":
    main()
