"""A checkpoint: a folder of config.json, model.safetensors, tokenizer.json and README.md.

Nothing in it is ever unpickled. Weights that load in part stop the run and are
named. Source: design, "The contracts".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import floor, prod
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.files import writing_folder
from signloom.errors import MediaError, UsageError
from signloom.training.sharding import is_sharded, repeated, share_of, whole_state, writes

FORMAT = 1
CONFIG, WEIGHTS, TOKENIZER, CARD = "config.json", "model.safetensors", "tokenizer.json", "README.md"
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has been found and whose config has been read; weights are read when asked for.

    config: what the method was given to `save_checkpoint`, with ``format`` and
        ``weights`` ({"dtype", "sha256", "parameters"}) added.
    """

    folder: Path
    config: dict[str, Any]

    def tensors(self) -> dict[str, Tensor]:
        """Name → tensor, on the CPU, floats as float32, tied names all present.

        Raises MediaError where the file is missing or is not the one that was saved.
        """
        path = self._weights()
        expected = self.config.get("weights", {}).get("sha256")
        if expected and (got := sha256_of(path)) != expected:
            raise MediaError(
                f"{path} is damaged: its sha256 is {got[:12]}…, config.json says "
                f"{expected[:12]}…; copy the checkpoint again"
            )
        with _opened(path) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            tied = json.loads((file.metadata() or {}).get("tied", "{}"))
        tensors = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
        return tensors | {name: tensors[kept] for name, kept in tied.items() if kept in tensors}

    def counts(self) -> tuple[int, int]:
        """(numbers, tensors) of the file of weights, by its header alone.

        Raises MediaError where the file is missing or cannot be read.
        """
        with _opened(self._weights()) as file:
            names = list(file.keys())
            return sum(prod(file.get_slice(name).get_shape()) for name in names), len(names)

    def _weights(self) -> Path:
        path = self.folder / WEIGHTS
        if not path.is_file():
            raise MediaError(
                f"checkpoint {self.folder} has no {WEIGHTS}; copy the whole folder again"
            )
        return path

    def tokenizer(self) -> Tokenizer:
        """The tokenizer saved beside the weights. Raises MediaError where there is none."""
        path = self.folder / TOKENIZER
        if not path.is_file():
            raise MediaError(
                f"checkpoint {self.folder} has no {TOKENIZER}; copy the whole folder again"
            )
        return Tokenizer.from_file(str(path))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise MediaError(f"{path} is not a readable safetensors file: {error}") from error


def save_checkpoint(
    folder: str | Path,
    config: Mapping[str, Any],
    model: nn.Module,
    tokenizer: Tokenizer | None = None,
    card: str = "",
    overwrite: bool = False,
    dtype: str = "float32",
) -> None:
    """Writes the folder in one move: whole or not at all.

    Where the weights are shared out, all processes call it and the first one writes.

    dtype: how floats are stored; "float16" is for releases. A tied weight is stored once.
    Raises UsageError if the folder exists, the dtype is unknown, or a weight does not fit float16.
    """
    if dtype not in DTYPES:
        raise UsageError(f"dtype '{dtype}' is unknown; expected one of {', '.join(DTYPES)}")
    tensors, tied = untied(whole_state(model))
    if not writes(model):
        return
    tensors = {name: _stored(name, tensor, DTYPES[dtype]) for name, tensor in tensors.items()}
    with writing_folder(folder, overwrite) as temporary:
        write_tensors(temporary / WEIGHTS, tensors, {"tied": json.dumps(tied)})
        written = {
            **config,
            "format": FORMAT,
            "weights": {
                "dtype": dtype,
                "sha256": sha256_of(temporary / WEIGHTS),
                "parameters": sum(tensor.numel() for tensor in tensors.values()),
            },
        }
        (temporary / CONFIG).write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
        if tokenizer is not None:
            tokenizer.save(str(temporary / TOKENIZER))
        (temporary / CARD).write_text(card)


def read_checkpoint(path_or_hub_id: str | Path) -> Checkpoint:
    """The checkpoint in a folder, or on the hub ("org/name", downloaded once).

    Raises MediaError where there is none, where it cannot be downloaded, or
    where a newer signloom wrote it.
    """
    folder = Path(path_or_hub_id)
    here = folder.parent != Path(".") and folder.parent.is_dir()  # a mistyped path, no hub id
    if not folder.exists() and not here and HUB_ID.fullmatch(str(path_or_hub_id)):
        folder = _download(str(path_or_hub_id))
    if not (folder / CONFIG).is_file():
        raise MediaError(
            f"{path_or_hub_id} is not a checkpoint: expected a folder with {CONFIG}, or a hub id "
            "such as 'org/name'; `signloom train` writes one into RUN/best"
        )
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        version = int(config["format"])
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise MediaError(
            f"{folder / CONFIG} is not a signloom config ({type(error).__name__}: {error}); "
            "expected JSON with 'format' and 'method'"
        ) from error
    if version > FORMAT:
        raise MediaError(
            f"{folder} has checkpoint format {version}, this signloom reads up to {FORMAT}; "
            "update signloom"
        )
    return Checkpoint(folder, config)


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Puts every tensor into the model, or none.

    Raises MediaError naming what is missing, unexpected or of another shape, and
    the fraction of the model's parameters that would have loaded; or what holds NaN or infinity.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in tensors]
    unexpected = [name for name in tensors if name not in own]
    shapes = [n for n in own if n in tensors and own[n].shape != tensors[n].shape]
    if missing or unexpected or shapes:
        total = sum(tensor.numel() for tensor in own.values())
        lost = sum(own[name].numel() for name in [*missing, *shapes])
        fits = floor(1000 * (total - lost) / max(total, 1)) / 10  # 100.0 only where all fits
        wrong = [
            *(f"{name} is missing" for name in missing),
            *(f"{name} is not in the model" for name in unexpected),
            *(
                f"{n} has shape {tuple(tensors[n].shape)}, expected {tuple(own[n].shape)}"
                for n in shapes
            ),
        ]
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise MediaError(
            f"weights from {source} fit {fits} % of the model, "
            f"so none were loaded: {'; '.join(wrong[:5])}{more}; "
            "build the model with the config that the weights were saved with"
        )
    for name in own:
        if tensors[name].is_floating_point() and not tensors[name].isfinite().all():
            raise MediaError(
                f"weights from {source} are no numbers in {name}, so none were loaded; the file is damaged or "
                "its training went wrong: copy the checkpoint again, or train it anew"
            )
    model.load_state_dict({name: share_of(tensors[name], own[name]) for name in own})


def weights(model: nn.Module) -> dict[str, Tensor]:
    """A model's state dict without repeats; where it is shared out, this process's shares."""
    state = model.state_dict()
    if not is_sharded(model):
        return untied(state)[0]
    twice = repeated(model)
    return {name: tensor for name, tensor in state.items() if name not in twice}


def untied(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors without repeats, repeated name → the name it is stored under)."""
    kept: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    tensors: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    for name, tensor in state.items():
        key = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))
        if tensor.numel() and key in kept:
            tied[name] = kept[key]
        else:
            kept[key] = name
            tensors[name] = tensor
    return tensors, tied


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """A safetensors file of copies on the CPU (views and shared storage are fine).

    Readable as other files here are; the library would keep it to its owner.
    """
    from safetensors.torch import save_file

    copies = {n: t.detach().to("cpu", copy=True).contiguous() for n, t in tensors.items()}
    save_file(copies, str(path), metadata=dict(metadata) if metadata else None)
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    stored = tensor.detach().to(dtype)
    if not torch.isfinite(stored).all():
        raise UsageError(
            f"weight {name} (largest {tensor.abs().max().item():g}) is not finite as {dtype}; "
            "save with dtype 'float32', or look for what made it so large"
        )
    return stored


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=[CONFIG, WEIGHTS, TOKENIZER, CARD]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise MediaError(
            f"checkpoint '{hub_id}' is no folder here and cannot be fetched from the hub "
            f"({type(error).__name__}); check the name and the connection, or give a folder"
        ) from error
