"""The report: one HTML file with a skeleton player, the texts and the scores, to open offline."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.sample import GlossSpan
from signloom.metrics.score import Score

TEMPLATE = Path(__file__).with_name("report.html")
SKELETON = Path(__file__).with_name("skeleton.html")
"""The part of the player that draws; every page with a skeleton has it."""
MISSING = -32768
SCALE = 30000
DRAWN = ("body", "face", "left_hand", "right_hand")
NOTICE = (
    "Simulated signing: an instrument, not a sign language. It shows that the method learns "
    "what it should, and says nothing about how well a real signer would be understood."
)
MEANINGS = {
    "BLEU-4": "share of word sequences of one to four words that the reference has too",
    "chrF2": "the same over letters; forgives endings",
    "content-F1": "how many of the words that carry meaning are found and not invented",
}


@dataclass(frozen=True)
class Example:
    """A clip with what the model wrote and what was signed."""

    clip: PoseClip
    hypothesis: str
    reference: str
    glosses: tuple[GlossSpan, ...] = ()
    signer: str = ""


@dataclass(frozen=True)
class ScoreTable:
    """Systems side by side: the model first, then its baselines.

    rows: system → scores; meanings: system → what it is, in words.
    """

    caption: str
    rows: Mapping[str, Sequence[Score]]
    meanings: Mapping[str, str]


def render(
    examples: Sequence[Example],
    tables: Sequence[ScoreTable],
    facts: Mapping[str, str],
    subtitle: str,
    simulated: bool,
) -> str:
    """The page; it loads nothing, and every text in it is escaped."""
    fields = {
        "subtitle": escape(subtitle),
        "notice": f'<p class="note" role="note">{escape(NOTICE)}</p>' if simulated else "",
        "sentences": "\n".join(_sentence(i, example) for i, example in enumerate(examples)),
        "scores": "\n".join(_table(table) for table in tables) + _definitions(tables),
        "facts": "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()
        ),
        "data": json.dumps([packed(example) for example in examples]).replace("<", "\\u003c"),
    }
    return filled(TEMPLATE, fields)


def filled(template: Path, fields: Mapping[str, str]) -> str:
    """A template with ``<!--name-->`` replaced by HTML, and <!--skeleton--> by the drawing.

    Raises KeyError where the template asks for a field that is not given.
    """
    html = {**fields, "skeleton": SKELETON.read_text(encoding="utf-8")}
    page = template.read_text(encoding="utf-8")
    return re.sub(r"<!--(\w+)-->", lambda found: html[found[1]], page)


def packed(example: Example) -> dict[str, Any]:
    """An example as the player of this page reads it: its clip, its glosses and who signs."""
    glosses = [
        [gloss.gloss, round(gloss.span.start, 3), round(gloss.span.end, 3)]
        for gloss in example.glosses
        if gloss.span is not None
    ]
    return {**packed_clip(example.clip), "glosses": glosses, "signer": example.signer}


def packed_clip(clip: PoseClip) -> dict[str, Any]:
    """A clip as skeleton.html draws it: int16 picture coordinates in base64, drawn keypoints only."""
    drawn = drawn_edges(clip.layout)
    kept = sorted({keypoint for edge in drawn for keypoint in edge})
    new = {old: i for i, old in enumerate(kept)}
    seen = clip.present[:, kept]
    xy = clip.points[:, kept, :2].astype(np.float64)
    low, high = _box(xy, seen)
    scale = SCALE / max(float((high - low).max()), 1e-9)
    whole = np.clip(np.rint((xy - low) * scale), MISSING + 1, 32767)
    whole[~seen] = MISSING
    edges: dict[str, list[int]] = {part: [] for part in DRAWN}
    for a, b in drawn:
        edges[clip.layout.articulators[a]] += [new[a], new[b]]
    wide, high_ = (high - low) * scale
    return {
        "fps": clip.fps,
        "frames": len(clip),
        "keypoints": len(kept),
        "points": base64.b64encode(whole.astype("<i2").tobytes()).decode(),
        "missing": MISSING,
        "box": [round(float(wide)), round(float(high_))],
        "edges": edges,
        "trails": {
            part: new[int(clip.layout.part(part)[0])]
            for part in ("left_hand", "right_hand")
            if len(clip.layout.part(part))
        },
    }


def drawn_edges(layout: Layout) -> list[tuple[int, int]]:
    """The edges worth drawing: no world coordinates, no legs, and no body points that stand
    for a face or fingers where the layout has those in detail."""
    left_out = ["KNEE", "ANKLE", "HEEL", "FOOT"]
    if len(layout.part("face")):
        left_out += ["NOSE", "EYE", "EAR", "MOUTH"]
    if len(layout.part("left_hand")):
        left_out += ["PINKY", "INDEX", "THUMB"]

    def drawn(keypoint: int) -> bool:
        part = layout.articulators[keypoint]
        name = layout.keypoints[keypoint]
        return part in DRAWN and not (part == "body" and any(word in name for word in left_out))

    return [(a, b) for a, b in layout.edges if drawn(a) and drawn(b)]


def _box(xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, 2): the corners of what to show, of (frames, n, 2) points: where each keypoint is but
    for its most extreme hundredth of frames, so that a lost track does not shrink the signer."""
    if not seen.any():
        return np.array([[0.0, 0.0], [1.0, 1.0]])
    shown = np.where(seen[:, :, None], xy, np.nan)[:, seen.any(axis=0)]
    low, high = np.nanpercentile(shown, (1, 99), axis=0)
    return np.array([low.min(axis=0), high.max(axis=0)])


def differing(text: str, other: str) -> list[tuple[str, bool]]:
    """The words of ``text`` in runs, with whether the run has no counterpart in ``other``.

    >>> differing("the dog sleeps", "the cat sleeps")
    [('the', False), ('dog', True), ('sleeps', False)]
    """
    words, others = text.split(), other.split()
    runs = []
    for kind, start, end, _, _ in SequenceMatcher(None, words, others, False).get_opcodes():
        if end > start:
            runs.append((" ".join(words[start:end]), kind != "equal"))
    return runs


def _marked(text: str, other: str, kind: str) -> str:
    said = {"extra": "not in the reference", "missed": "not written"}[kind]
    parts = [
        f'<mark class="{kind}"><span class="sr">{said}: </span>{escape(run)}</mark>'
        if differs
        else escape(run)
        for run, differs in differing(text, other)
    ]
    return " ".join(parts) or '<em class="soft">(nothing)</em>'


def _sentence(which: int, example: Example) -> str:
    written = _marked(example.hypothesis, example.reference, "extra")
    signed = _marked(example.reference, example.hypothesis, "missed")
    return (
        f'<li><button type="button" data-which="{which}">Watch<span class="sr"> sentence '
        f'{which + 1}</span></button><dl class="said"><dt>Model</dt><dd>{written}</dd>'
        f"<dt>Reference</dt><dd>{signed}</dd></dl></li>"
    )


def _table(table: ScoreTable) -> str:
    names = list(MEANINGS)
    head = "".join(
        f'<th scope="col">{name}<span class="why">{escape(MEANINGS[name])}</span></th>'
        for name in names
    )
    rows = []
    for i, (system, scores) in enumerate(table.rows.items()):
        by_name = {score.name: score for score in scores}
        cells = "".join(_cell(by_name[name]) for name in names)
        why = escape(table.meanings.get(system, ""))
        rows.append(
            f'<tr{" class=model" if i == 0 else ""}><th scope="row">{escape(system)}'
            f'<span class="why">{why}</span></th>{cells}</tr>'
        )
    return (
        f'<div class="tables" role="region" tabindex="0" aria-label="{escape(table.caption)}">'
        f"<table><caption>{escape(table.caption)}</caption><thead><tr>"
        f'<th scope="col">System</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(score: Score) -> str:
    low, high = score.ci95
    return f'<td class="n">{score.value:.1f}<span class="ci">{low:.1f} – {high:.1f}</span></td>'


def _definitions(tables: Sequence[ScoreTable]) -> str:
    signatures = {
        score.name: score.signature
        for table in tables
        for scores in table.rows.values()
        for score in scores
        if score.name in MEANINGS
    }
    items = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(signature)}</code></dd>"
        for name, signature in signatures.items()
    )
    return (
        "<p class=soft>All scores run from 0 to 100, higher is better; below each stands its 95 % "
        "interval (1,000 bootstrap resamples of sentences). A model is only worth something "
        "where it is well above every baseline.</p>"
        f"<details><summary>Exact definitions (signatures)</summary><dl class=facts>{items}</dl>"
        "</details>"
    )
