"""BLEURT of a checkpoint on this machine: a learned regression on (reference, hypothesis)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signloom.errors import MediaError, one_line
from signloom.metrics.score import Counts, mean_of, paired, per_sentence

WEIGHTS = "model.safetensors"
LONGEST = 512
"""Pieces of reference and hypothesis together; what is longer is cut."""


def count_bleurt(
    folder: Path, hypotheses: Sequence[str], references: Sequence[str], batch: int = 32
) -> Counts:
    """The mean of a BLEURT checkpoint's scores, raw cased text, ×1 and without bounds.

    folder: a transformers sequence classifier with one output (config.json, model.safetensors
        and its tokenizer): what a BLEURT checkpoint is after conversion to PyTorch. Nothing is
        downloaded and no pickle is read.
    Checkpoints are not comparable with each other (Sellam et al. 2020): the name and the hash of
    the weights are in the signature, and comparing two systems refuses another. Raises
    MediaError where the folder holds no such model.
    """
    import torch

    kept, truth, excluded = paired(hypotheses, references)
    model, tokenizer = _load(folder)
    longest = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    scores: list[float] = []
    with torch.inference_mode():
        for start in range(0, len(truth), batch):
            pieces = tokenizer(
                truth[start : start + batch],
                kept[start : start + batch],
                padding=True,
                truncation="longest_first",
                max_length=longest,
                return_tensors="pt",
            )
            scores += model(**pieces).logits[:, 0].tolist()
    with (folder / WEIGHTS).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    signature = f"nrefs:1|case:mixed|checkpoint:{folder.name}|weights:{digest}|scale:x1"
    return Counts("BLEURT", per_sentence(scores), mean_of, signature, excluded, unit="")


def _load(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    for name in ("config.json", WEIGHTS):
        if not (folder / name).is_file():
            raise MediaError(
                f"{folder} has no {name}, so it is no BLEURT checkpoint; give a folder with a "
                f"transformers sequence classifier: config.json, {WEIGHTS} and its tokenizer"
            )
    try:
        model, told = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises whatever the files lead it to
        raise MediaError(
            f"{folder} cannot be read as a BLEURT checkpoint ({one_line(error)}); "
            "give a folder with a transformers sequence classifier and its tokenizer"
        ) from error
    if missing := sorted(told["missing_keys"]):
        raise MediaError(
            f"the weights in {folder} lack {len(missing)} of the model's parts, the first "
            f"'{missing[0]}', which would be random; convert the checkpoint whole"
        )
    if model.config.num_labels != 1:
        raise MediaError(
            f"the model in {folder} has {model.config.num_labels} outputs, a BLEURT checkpoint "
            "has 1; give a checkpoint trained for regression"
        )
    return model.eval(), tokenizer
