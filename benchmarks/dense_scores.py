"""What dense features say to a trained model: python -m benchmarks.dense_scores [CHECKPOINT] [--limit 200] [--chunk 25]

A unified model (the bundled one unless told) translates sentences of sim-sentences-v1 dev three ways, with the
same weights: its graphs once over all frames, as it has learnt; the whole backbone inside each window of its
Conformer; and graphs and normaliser on so many frames at a time (`config.chunk`), as a stream has them. BLEU-4 and
content-F1 of each with 95 % bootstrap intervals, paired differences to the first, and how far the features are from
the first one's (as benchmarks.dense_features says it). With --trained a fourth: a checkpoint that has learnt on in chunks
(recipes/unified-sim-small-chunks.yaml), as it is. All of it is simulated.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.dense_features import ROOT, apart
from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.encoders.sliding import sliding_whole
from signloom.encoders.streams import streams_of
from signloom.inference.translate import translate_clips
from signloom.methods.load import load
from signloom.methods.unified import Unified
from signloom.metrics.significance import compare
from signloom.metrics.translation import count_translation
from signloom.simulator.corpora import SimulatedSentences

ARMS = ("graphs once", "graphs in each window", "graphs in chunks")
TRAINED = "graphs in chunks, trained so"
NAMES = ("BLEU-4", "content-F1")


def in_each_window(
    self: Unified, points: Tensor, mask: Tensor, mouths: Tensor
) -> tuple[Tensor, Tensor]:
    """`Unified.seen` with the whole backbone inside each window (poses alone)."""
    assert self.backbone is not None
    config = self.config
    window, stride = config.conformer_window, config.conformer_stride
    time = max(points.shape[1], window)
    more = time + (window - time) % stride - points.shape[1]
    points = streams_of(points, self.layout, config.streams, "shoulder", config.presence, mask)
    points = nn.functional.pad(points, (0, 0, 0, 0, 0, more))
    mask = nn.functional.pad(mask, (0, more))
    return sliding_whole(self.backbone, points, mask, window, stride, points.shape[1] // stride)


def reading(checkpoint: str, arm: str, chunk: int) -> Unified:
    """The model, looking as the arm says."""
    model: Unified = load(checkpoint)
    assert model.backbone is not None
    if arm == ARMS[1]:
        model.seen = MethodType(in_each_window, model)  # type: ignore[method-assign]
    if arm == ARMS[2]:
        model.config = model.preparation.config = replace(model.config, chunk=chunk)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default="bundled-unified")
    parser.add_argument("--limit", type=int, default=200, help="sentences (200)")
    parser.add_argument("--chunk", type=int, default=25, help="frames of a chunk (25)")
    parser.add_argument("--trained", help="a checkpoint that has learnt in chunks")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    models = {arm: reading(asked.checkpoint, arm, asked.chunk) for arm in ARMS}
    if asked.trained:
        models[TRAINED] = load(asked.trained)
    first = models[ARMS[0]]
    source = SimulatedSentences("small", "dev", first.layout)
    samples = [source[i] for i in range(asked.limit)]
    references = [sample.text for sample in samples]
    report: dict[str, Any] = {"commit": commit(ROOT), "hardware": hardware(), "simulated": True}
    report |= {"checkpoint": asked.checkpoint, "n": asked.limit, "chunk": asked.chunk, "arms": {}}
    counted = {}
    for arm, model in models.items():
        found = translate_clips(model, [sample.clip for sample in samples])
        said = [translation.text for translation in found]
        counted[arm] = [c for c in count_translation(said, references) if c.name in NAMES]
        scores = [counts.score() for counts in counted[arm]]
        report["arms"][arm] = {"scores": [score.to_json() for score in scores]}
        features = [
            [torch.from_numpy(m.features(sample.clip)) for sample in samples[:20]]
            for m in (model, first)
        ]
        report["arms"][arm]["apart"] = apart(torch.cat(features[0]), torch.cat(features[1]))
        if arm != ARMS[0]:
            report["arms"][arm]["difference"] = [
                one.to_json() for one in compare(counted[ARMS[0]], counted[arm])
            ]
        print(arm, json.dumps(report["arms"][arm]), flush=True)
    if asked.out:
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
