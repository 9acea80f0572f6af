"""The page of `signloom inspect embeddings`: one HTML file, drawn without scripts, to open offline."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from signloom.inference.embeddings import Agreement, Inspection, Neighbours, Picture
from signloom.metrics.retrieval import Retrieval
from signloom.web.report import NOTICE, filled

TEMPLATE = Path(__file__).with_name("embeddings_report.html")
SIZE, EDGE = 420, 12
"""Of a picture, and free along its edges, in pixels."""


def render(found: Inspection, facts: Mapping[str, Any]) -> str:
    """The page; it loads nothing, and every text in it is escaped."""
    methods = [picture.method for picture in found.pictures]
    lacking = (
        "" if "t-SNE" in methods else
        '<p class="soft">t-SNE is left out: it needs scikit-learn, which comes with '
        "<code>pip install 'signloom[inspect]'</code>.</p>"
    )  # fmt: skip
    fields = {
        "subtitle": escape(
            f"{facts['model']} on {facts['store']} {facts['split']}: {len(found.ids)} clips, "
            f"{len(set(found.texts))} different texts"
        ),
        "notice": f'<p class="note" role="note">{escape(NOTICE)}</p>' if found.simulated else "",
        "pictures": "\n".join(_picture(each, found.texts) for each in found.pictures),
        "lacking": lacking,
        "retrieval": _retrieval(found),
        "neighbours": _neighbours(found),
        "gradients": _gradients(found.agreement),
        "facts": "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items()
        ),
    }
    return filled(TEMPLATE, fields)


def _picture(picture: Picture, texts: tuple[str, ...]) -> str:
    both = np.concatenate([picture.found, picture.wanted]).astype(np.float64)
    low, high = both.min(axis=0), both.max(axis=0)
    scale = (SIZE - 2 * EDGE) / max(float((high - low).max()), 1e-9)
    found, wanted = (
        EDGE + (each - low) * scale + (SIZE - 2 * EDGE - (high - low) * scale) / 2
        for each in (picture.found, picture.wanted)
    )
    lines = "".join(
        f'<line class="pair" x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"/>'
        for (a, b), (c, d) in zip(found, wanted, strict=True)
    )
    points = "".join(
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(text)}</title></circle>'
        for kind, at in (("wanted", wanted), ("found", found))
        for (x, y), text in zip(at, texts, strict=True)
    )
    name = f"{picture.method} of {len(texts)} predicted and true embeddings"
    return (
        f'<figure><svg viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{escape(name)}">'
        f"{lines}{points}</svg><figcaption><strong>{escape(picture.method)}.</strong> "
        f"{escape(picture.said)}</figcaption></figure>"
    )


def _retrieval(found: Inspection) -> str:
    at = list(found.to_text.recall)
    head = "".join(f'<th scope="col">R@{k}</th>' for k in at)
    rows = _row("clip to text", found.to_text) + _row("text to clip", found.to_clip)
    return (
        '<div class="tables"><table><caption>Percent of queries that find what belongs to them among '
        "the k nearest by cosine; below, what an order drawn at random finds. Of equally near ones it "
        "stands last.</caption><thead><tr>"
        f'<th scope="col">Query</th>{head}<th scope="col">Median rank</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="soft">Mean cosine of a clip with its own text {found.own:.3f}, with other texts '
        f"{found.other:.3f}.</p>"
    )


def _row(name: str, of: Retrieval) -> str:
    cells = "".join(
        f'<td class="n">{value:.1f}<span class="why">{of.chance[k]:.1f}</span></td>'
        for k, value in of.recall.items()
    )
    return (
        f'<tr><th scope="row">{name} <span class="why">{of.queries} among {of.candidates}</span></th>'
        f'{cells}<td class="n">{of.median_rank:g}</td></tr>'
    )


def _neighbours(found: Inspection) -> str:
    rows = "".join(_clip(found, each) for each in found.neighbours)
    return (
        '<div class="tables"><table><caption>Clips spread evenly over the split, with the texts '
        "nearest to what the model makes of them, and their cosines.</caption><thead><tr>"
        '<th scope="col">Clip and its text</th><th scope="col">Rank</th>'
        '<th scope="col">Nearest texts</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _clip(found: Inspection, each: Neighbours) -> str:
    text = found.texts[each.clip]
    near = "<br>".join(
        f"<span{' class=own' if other == text else ''}>{escape(other)}</span> "
        f'<span class="why">{cosine:.2f}</span>'
        for other, cosine in each.nearest
    )
    return (
        f'<tr><th scope="row">{escape(text)} <span class="why">{escape(found.ids[each.clip])}, '
        f'{each.own:.2f}</span></th><td class="n">{each.rank}</td><td>{near}</td></tr>'
    )


def _gradients(found: Agreement | None) -> str:
    if found is None:
        return '<p class="soft">Not measured: it was asked for no batches.</p>'
    said = found.to_json()
    parts = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="n">{value:+.3f}</td></tr>'
        for name, value in {"all together": said["mean"], **found.parts}.items()
    )
    itself = (
        f" For comparison, the gradient of L_o on one batch and on the next: "
        f"{np.mean(found.with_itself):+.3f}."
        if found.with_itself
        else ""
    )
    return (
        "<p>Cosine of the gradients of λ·L_e (the embedding) and L_o (the text) on the parameters that "
        f"both teach, over {len(found.cosines)} batches of this split, without dropout. Below 0 they "
        f"pull apart, as in {said['conflicting']} of the batches. The gradient of λ·L_e is "
        f"{found.ratio:.2f} times as long as that of L_o (median).{itself}</p>"
        f'<div class="pictures"><figure>{_bars(found)}<figcaption>A bar a batch, from −1 to 1.'
        '</figcaption></figure><div class="tables"><table><thead><tr><th scope="col">Part, from the '
        f'frames on</th><th scope="col">Mean cosine</th></tr></thead><tbody>{parts}</tbody></table>'
        "</div></div>"
    )


def _bars(found: Agreement) -> str:
    height, wide = 160, SIZE / len(found.cosines)
    middle = height / 2
    bars = "".join(
        f'<rect class="found" x="{i * wide + 1:.1f}" y="{middle - max(value, 0) * middle:.1f}" '
        f'width="{max(wide - 2, 1):.1f}" height="{max(abs(value) * middle, 0.5):.1f}">'
        f"<title>batch {i + 1}: {value:+.3f}</title></rect>"
        for i, value in enumerate(found.cosines)
    )
    return (
        f'<svg viewBox="0 0 {SIZE} {height}" role="img" aria-label="Cosine of the two gradients, batch '
        f'by batch"><line class="axis" x1="0" x2="{SIZE}" y1="{middle}" y2="{middle}"/>{bars}</svg>'
    )
