"""Language models that others trained: found in a folder or on a hub, and read without a pickle."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.kept import content
from signloom.errors import MediaError, UsageError

CONFIG, TOKENIZER, CARD = "config.json", "tokenizer.json", "README.md"
TOKENS, TEMPLATE = "tokenizer_config.json", "chat_template.jinja"
WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Base:
    """What adapters stand on: enough to find it again and to know it is the same.

    source: the folder or hub id as given. revision: the hub's commit, "" for a folder.
    sha256: of its weights file; of the list of files and theirs, where there are several.
    licence: as its model card says, "" where it says none.
    parameters: how many. filled: the fraction of them that came from the weights file.
    """

    source: str
    revision: str
    sha256: str
    licence: str
    parameters: int
    filled: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Base:
        """Raises MediaError where a field is missing."""
        try:
            return cls(**{field.name: value[field.name] for field in fields(cls)})
        except KeyError as error:
            raise MediaError(
                f"the record of a base model has no {error}; expected "
                f"{', '.join(field.name for field in fields(cls))}; copy the checkpoint again"
            ) from error


def located(
    source: str, revision: str | None, also: Sequence[str] = (), called: str = "language model"
) -> tuple[Path, str]:
    """(the folder, the hub's commit or ""). Raises MediaError where there is none.

    also: globs of further files to fetch from the hub, beside config, weights, tokenizer and card.
    called: what it is, in words.
    """
    folder = Path(source)
    here = folder.parent != Path(".") and folder.parent.is_dir()  # a mistyped path, no hub id
    if folder.is_dir():
        if revision:
            raise UsageError(
                f"'{source}' is a folder, and only a hub id has a revision (got '{revision}'); "
                "leave it out"
            )
        return folder, ""
    if here or not HUB_ID.fullmatch(source):
        raise MediaError(
            f"there is no {called} '{source}'; expected a folder with {CONFIG}, {WEIGHTS} "
            f"and {TOKENIZER}, or a hub id (OWNER/NAME)"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = [CONFIG, "generation_config.json", TOKENIZER, TOKENS, TEMPLATE, CARD]
    wanted += ["*.safetensors", SHARDS, *also]
    try:
        folder = Path(snapshot_download(source, revision=revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise MediaError(
            f"the {called} '{source}' is no folder here and cannot be fetched from the hub "
            f"({type(error).__name__}); check the name and the connection, or give a folder"
        ) from error
    return folder, folder.name


def config_of(folder: Path, kind: str, such_as: str) -> dict[str, Any]:
    """What config.json says, as it stands there. Raises MediaError where it is of no such kind."""
    try:
        said = json.loads((folder / CONFIG).read_text())
        found = said["model_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MediaError(
            f"{folder} holds no language model: its {CONFIG} cannot be read "
            f"({type(error).__name__}: {error}); expected one that transformers wrote"
        ) from error
    if found != kind:
        raise MediaError(f"{folder} holds a model of type '{found}', expected '{kind}' ({such_as})")
    return cast(dict[str, Any], said)


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer beside the weights, without padding or truncation. Raises MediaError."""
    path = folder / TOKENIZER
    if not path.is_file():
        raise MediaError(
            f"{folder} has no {TOKENIZER}; write one there with transformers' "
            "AutoTokenizer.from_pretrained(…).save_pretrained(…)"
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise MediaError(f"{path} is not a readable tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a model. Raises MediaError where there are none, or some are gone."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / SHARDS).is_file():
        try:
            named = {*json.loads((folder / SHARDS).read_text())["weight_map"].values()}
            files = [folder / Path(name).name for name in sorted(named)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MediaError(
                f"{folder / SHARDS} names no weights ({error}); copy it again"
            ) from error
        if gone := [file.name for file in files if not file.is_file()]:
            raise MediaError(f"{folder} lacks {', '.join(gone)}; copy the whole folder again")
        return files
    raise MediaError(
        f"{folder} has no {WEIGHTS}; only safetensors are read, never a pickle: save the model "
        "again with transformers' save_pretrained"
    )


def stored(files: Sequence[Path]) -> Iterator[tuple[str, Tensor]]:
    """(name, tensor) of everything in the files. Raises MediaError where one cannot be read."""
    from safetensors import SafetensorError, safe_open

    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():
                    yield name, file.get_tensor(name)
        except SafetensorError as error:
            raise MediaError(f"{path} is not a readable safetensors file: {error}") from error


def sha256(files: Sequence[Path]) -> str:
    """Of the file; of the list of files and theirs, where there are several."""
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    if len(digests) == 1:
        return digests[0]
    listed = "".join(f"{d}  {path.name}\n" for d, path in zip(digests, files, strict=True))
    return hashlib.sha256(listed.encode()).hexdigest()


def licence(folder: Path) -> str:
    """What the front matter of the model card says, "" where it says nothing."""
    path = folder / CARD
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    found = re.search(r"^license:\s*(\S.*?)\s*$", front[1], re.MULTILINE) if front else None
    return found[1] if found else ""


def filled_share(
    model: nn.Module,
    files: Sequence[Path],
    said: Mapping[str, Any],
    report: Mapping[str, Any],
    source: str,
) -> float:
    """The fraction of parameters that hold what a file says; less than all of them is an error.

    A parameter that files know by an older name, as GPT-NeoX's head or GPT-2 without its prefix, holds what
    one of the tensors says that have no name in the model.
    report: what transformers says of the loading. Raises MediaError.
    """
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    own = dict(model.named_parameters(remove_duplicate=False))
    right, others = set(), set()
    for name, tensor in stored(files):
        if name not in own:
            others.add(_content(tensor))
        elif _holds(own[name], tensor):
            right.add(name)
    if others:
        renamed = own.keys() - right - set(report["missing_keys"])
        right |= {name for name in renamed if _content(own[name]) in others}
    total = filled = 0
    wrong: list[str] = []
    shapes = {key[0]: key for key in report["mismatched_keys"]}
    for aliases in names.values():
        size = own[aliases[0]].numel()
        total += size
        if right.intersection(aliases):
            filled += size
            continue
        other = next((shapes[name] for name in aliases if name in shapes), None)
        wrong.append(
            f"{other[0]} has shape {tuple(other[1])}, expected {tuple(other[2])}"
            if other
            else f"{aliases[0]} is missing"
        )
    if said.get("tie_word_embeddings") is False and "lm_head.weight" not in right:
        filled -= own["lm_head.weight"].numel() if not wrong else 0
        wrong.append("lm_head.weight is missing, and config.json says it is not tied")
    wrong += [f"{name} is not in the model" for name in sorted(report["unexpected_keys"])]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise MediaError(
            f"the weights of '{source}' fill {100 * filled / max(total, 1):.1f} % of the model: "
            f"{'; '.join(wrong[:5])}{more}; the rest would be random, so it does not start: copy "
            "the weights again, or give the config.json that belongs to them"
        )
    return filled / total


def _holds(parameter: nn.Parameter, tensor: Tensor) -> bool:
    return parameter.shape == tensor.shape and torch.equal(
        parameter.detach(), tensor.to(parameter.dtype)
    )


def _content(tensor: Tensor) -> bytes:
    """What tells a tensor, in single precision, from all others."""
    return content(tensor.detach().float().cpu().numpy())


@runtime_checkable
class _Loaded(Protocol):
    @property
    def base(self) -> Base: ...


T = TypeVar("T", bound=_Loaded)


def again(base: Base, load: Callable[[str, str | None], T]) -> T:
    """The language model that adapters were trained on, found again by ``load``.

    Raises MediaError where it is gone, or where what is there now is another.
    """
    try:
        found = load(base.source, base.revision or None)
    except MediaError as error:
        raise MediaError(
            f"the adapters need the language model '{base.source}' that they were trained on, and "
            f"it cannot be had: {error}"
        ) from error
    if found.base.sha256 != base.sha256:
        raise MediaError(
            f"the adapters were trained on '{base.source}' with sha256 {base.sha256[:12]}…, and "
            f"what is there now has {found.base.sha256[:12]}…; put the same weights back"
        )
    return found
