"""sign2(sem+text): a clip, its text and its glosses to numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.sample import Sample, gloss_sentence
from signloom.errors import UsageError
from signloom.language.sentence_embedding import Embedding, Targets
from signloom.methods import gloss_clips
from signloom.methods.gloss_codec import GlossCodec
from signloom.methods.semtext_config import Config

IGNORED = -100


class Example(NamedTuple):
    """One training item; of a sentence without signing ``points`` has no frames.

    points float32 (T, K, C); tokens <s> … </s>; target (D,), zeros where none is needed; glosses ids.
    """

    points: NDArray[np.float32]
    tokens: NDArray[np.int64]
    target: NDArray[np.float32]
    glosses: NDArray[np.int64]


class Batch(NamedTuple):
    """points (B, T, K, C), mask (B, T); signed (B,), False for a sentence without signing; inputs, labels
    (B, L), −100 = none; targets (B, D); glosses (B, G), −100 = none."""

    points: Tensor
    mask: Tensor
    signed: Tensor
    inputs: Tensor
    labels: Tensor
    targets: Tensor
    glosses: Tensor

    def by_length(self, rows: int = 16) -> list[Batch]:
        """The batch in parts of so many texts of like length."""
        order = (self.labels != IGNORED).sum(1).argsort(stable=True)
        return [self.rows(part) for part in order.split(rows)]

    def rows(self, which: Bool[Tensor, " batch"] | Int[Tensor, " rows"]) -> Batch:
        """These rows, padded no further than they need."""
        chosen = Batch(*(each[which] for each in self))
        time = max(1, int(chosen.mask.sum(1).max()))
        length = max(1, int((chosen.labels != IGNORED).sum(1).max()))
        return chosen._replace(
            points=chosen.points[:, :time],
            mask=chosen.mask[:, :time],
            inputs=chosen.inputs[:, :length],
            labels=chosen.labels[:, :length],
        )


class Preparation:
    """Clip, text and glosses to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(
        self,
        config: Config,
        codec: GlossCodec,
        gloss_names: GlossCodec | None,
        embedding: Embedding | None,
    ):
        self.config, self.codec, self.gloss_names = config, codec, gloss_names
        self.clips = gloss_clips.Preparation(config, codec, config.max_tokens)
        self.width = embedding.width if embedding else 0
        self.targets: Targets | None = None

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """Of a sample without frames, or with ``input: text``, a sentence to write again.

        Raises UsageError where a sample lacks what is learnt from it, or its text is too long.
        """
        config = self.config
        text = sample.text.strip()
        if not text:
            raise UsageError(
                f"sample '{sample.id}' has no text, which is what is learnt; leave it out"
            )
        ids = self.codec.encode(text)
        refuse_long(f"the text of sample '{sample.id}'", text, len(ids), config)
        signed = config.input == "signing" and len(sample.clip) > 0
        target = np.zeros(self.width, np.float32)
        if config.supervision == "sem" or not signed:
            target = self._target(text)
        said: list[int] = []
        if signed and self.gloss_names is not None:
            names = gloss_sentence(span.gloss for span in sample.glosses)
            if not names:
                raise UsageError(
                    f"sample '{sample.id}' has no glosses, which supervise here; train on a store "
                    "with glosses, or set supervision to 'sem' or 'none'"
                )
            said = self.gloss_names.encode(names)
        points = self.clips.points(sample.clip, rng if train else None) if signed else self._nothing
        return Example(
            points,
            np.array([self.codec.start, *ids, self.codec.end], np.int64),
            target,
            np.array(said, np.int64),
        )

    def _target(self, text: str) -> NDArray[np.float32]:
        if self.targets is None:
            raise UsageError(
                "the model has no sentence embeddings to learn from: a recipe's config.embedding is "
                "empty, or the model was loaded from a checkpoint; begin it from a recipe"
            )
        return self.targets.of(text)

    @property
    def _nothing(self) -> NDArray[np.float32]:
        config = self.config
        points = len(self.clips.layout) + 42 * config.local_hands
        return np.zeros((0, points, config.coordinates), np.float32)

    def collate(self, examples: list[Example]) -> Batch:
        """Pads with zeros (frames), <pad> (inputs) and −100 (labels, glosses)."""
        points, mask = self.clips.padded([example.points for example in examples])
        length = max(len(example.tokens) for example in examples) - 1
        inputs = torch.full((len(examples), length), self.codec.pad)
        labels = torch.full((len(examples), length), IGNORED)
        names = torch.full(
            (len(examples), max(1, *(len(example.glosses) for example in examples))), IGNORED
        )
        for row, example in enumerate(examples):
            tokens = torch.from_numpy(example.tokens)
            inputs[row, : len(tokens) - 1] = tokens[:-1]
            labels[row, : len(tokens) - 1] = tokens[1:]
            names[row, : len(example.glosses)] = torch.from_numpy(example.glosses)
        return Batch(
            points,
            mask,
            torch.tensor([len(example.points) > 0 for example in examples]),
            inputs,
            labels,
            torch.from_numpy(np.stack([example.target for example in examples])),
            names,
        )


def refuse_long(which: str, text: str, tokens: int, config: Config) -> None:
    """UsageError for a text of more tokens than the decoder writes."""
    if tokens > config.max_tokens:
        raise UsageError(
            f"{which} has {tokens} tokens, and the decoder writes {config.max_tokens} at most: "
            f"'{text[:60]}…'; raise max_tokens, or leave long texts out ('longest' of a source of texts)"
        )
