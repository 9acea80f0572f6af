"""The model card: README.md of a checkpoint, written from its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WHAT = {
    "posestitch": (
        "translation",
        "A POSESTITCH-SLT model (arXiv 2511.00270) that translates signing into written language.",
    ),
    "isolated": (
        "recognition",
        "A recogniser of single signs (arXiv 2512.08040, §3.3): a clip of one sign to its gloss.",
    ),
    "unified": (
        "translation",
        "A unified model (arXiv 2512.08040) that translates signing into written language and finds "
        "when a given sentence is signed.",
    ),
    "autosign": (
        "recognition",
        "An AutoSign model (arXiv 2507.19840) that writes the glosses of continuous signing.",
    ),
    "ctc": (
        "recognition",
        "A CTC model, the baseline of AutoSign, that writes the glosses of continuous signing.",
    ),
    "semtext": (
        "translation",
        "A sign2(sem+text) model (arXiv 2510.19367): signing to the embedding of the sentence and to its "
        "text, or a sentence's embedding back to its text.",
    ),
    "motion-vq": (
        "motion",
        "A tokenizer of motion (arXiv 2511.08535, stage 1): joints in space to ids of codes, and back.",
    ),
    "lslm": (
        "translation",
        "A large sign language model (arXiv 2511.08535) that reads 3D signing as tokens and does what "
        "it is told of it.",
    ),
}
"""Method → tag of its task, and what it is."""


def card_of(config: Mapping[str, Any]) -> str:
    """Markdown with the hub's front matter: what the model is, learnt from, scores, is not for."""
    simulated = bool(config.get("simulated_only"))
    languages = ", ".join(config.get("languages", ())) or "unknown"
    dev = config.get("dev") or {}
    scores = "\n".join(f"| {name} | {value:.2f} |" for name, value in dev.items())
    learnt = (
        "It has learnt from **simulated signing only**. That is an instrument for measuring "
        "methods, not a sign language: signloom refuses real signing with this model unless it "
        "is told `--allow-simulated`."
        if simulated
        else "It has learnt from real signing; see the recipe below for which."
    )
    task, what = WHAT.get(str(config.get("method")), ("translation", "A signloom model"))
    return f"""---
library_name: signloom
tags: [sign-language, {task}, pose]
---

# {config.get("name", "signloom model")}

{what} It reads pose clips (layout `{config.get("layout")}`).

{learnt}

- Signed languages: {languages}
- Poses from: {", ".join(config.get("extractors", ())) or "unknown"}
- Steps: {config.get("step", "?")}, seed {config.get("seed", "?")}, recipe hash
  `{str(config.get("recipe_hash", ""))[:16]}`; the whole recipe stands in `config.json`.

On the dev samples that chose this checkpoint:

| score | value |
|---|---|
{scores}

Not for medical, legal or emergency use. It knows the words it was trained on and
the signers it saw; other signing it will render as something it knows.
"""
