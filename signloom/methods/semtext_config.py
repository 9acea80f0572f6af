"""sign2(sem+text): the method's settings, and the three sizes it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from signloom.errors import UsageError
from signloom.methods.gloss_clips import CLIP_RULES, ClipSettings
from signloom.methods.settings import settings_from

NAME = "semtext"
Input = Literal["signing", "text"]
Supervision = Literal["sem", "gloss", "none"]
Reads = Literal["states", "embedding"]
SemLoss = Literal["mse", "cosine", "siamese"]


@dataclass(frozen=True)
class Config(ClipSettings):
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    # What is learnt
    input: Input = "signing"
    """text: sem2text alone, which knows no signing and writes a text again from its embedding."""
    supervision: Supervision = "sem"
    """What the encoder is taught beside the text: sentence embeddings, glosses (CTC), or nothing."""
    reads: Reads = "states"
    """What the decoder reads of signing: the encoder's states (sign2(sem+text)), or the one predicted
    embedding (sign2sem2text, and the bottleneck variant where both losses are trained)."""
    sem_loss: SemLoss = "mse"
    """mse: the paper's. siamese: the released code's, cosines of pairs. cosine: 1 − cos(ŝ, s) [D]."""
    sem_weight: float = 1.0
    """Of L_e beside L_o; 1 in the paper [D]."""
    gloss_weight: float = 1.0
    """Of the CTC loss, where glosses supervise [D]."""

    # The target
    embedding: str = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    """Name, folder or hub id of the sentence embedding; "" = none, where none is needed."""
    targets: str = ""
    """File that keeps the texts' embeddings, best in the folder of the store; "" = none is kept."""

    # The encoder (BERT)
    width: int = 384
    encoder_layers: int = 12
    encoder_heads: int = 12
    encoder_inner: int = 1536
    encoder_positions: int = 512
    encoder_dropout: float = 0.1
    encoder_pretrained: str = ""
    """Folder or hub id of a BERT to start from; the paper's is ``embedding``'s. "" = random."""
    initial_scale: float = 1.0
    """Encoder positions start this many times their usual σ of 0.02 [D: > 1 in small]."""

    # The decoder
    decoder_pretrained: str = ""
    """Folder or hub id of an mBART, or a checkpoint of this method, to start from; "" = random, of the
    shape below (SLTr's) and with a vocabulary of its own."""
    language_code: str = "en_XX"
    """What an mBART begins its text with."""
    decoder_width: int = 512
    decoder_layers: int = 3
    decoder_heads: int = 8
    decoder_inner: int = 2048
    decoder_dropout: float = 0.1
    memory: int = 1
    """States that one embedding becomes for the decoder; more than 1 give it something to attend to [D]."""
    votes: bool = False
    """The embedding also speaks for words directly: one linear layer onto the vocabulary, added to the
    logits of every token. A bag of words is soon learnt so, and the decoder orders it [D]."""
    vocabulary: int = 4_000
    """Tokens that the decoder's own tokenizer is trained to, at most [D]."""
    max_tokens: int = 64
    """Tokens of a text, without <s> and </s>; a longer one is refused in training."""
    label_smoothing: float = 0.0

    # Decoding
    beam: int = 5
    length_penalty: float = 1.0
    no_repeat: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.input == "text" or self.supervision == "sem") and not self.embedding:
            raise UsageError(
                "semtext: embedding is empty, and it is what is learnt; name a sentence embedding "
                "(all-MiniLM-L6-v2, a folder or a hub id), or set supervision to 'gloss' or 'none'"
            )
        short = -(-self.max_frames // self.stride)
        if self.input == "signing" and short > self.encoder_positions:
            raise UsageError(
                f"semtext: {self.max_frames} frames are {short} after compression, more than the "
                f"encoder's {self.encoder_positions} positions; lower max_frames or raise "
                "encoder_positions or stride"
            )
        if self.chunk:
            raise UsageError(
                "semtext: chunk is for streams, and a sentence is read whole; leave it 0"
            )

    @property
    def needs_glosses(self) -> bool:
        """Whether training reads the samples' glosses too."""
        return self.supervision == "gloss"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, RULES)


RULES = replace(
    CLIP_RULES,
    choices={
        **CLIP_RULES.choices,
        "input": get_args(Input),
        "supervision": get_args(Supervision),
        "reads": get_args(Reads),
        "sem_loss": get_args(SemLoss),
    },
    shares=(*CLIP_RULES.shares, "encoder_dropout", "decoder_dropout", "label_smoothing"),
    least={**CLIP_RULES.least, "no_repeat": 0, "length_penalty": -10.0},
)


SMALL = Config(
    layout="ps76",
    normalizer="shoulder",
    local_hands=True,
    augment=0.0,
    noise=0.01,
    max_frames=400,
    channels=(192, 256),
    sem_weight=100.0,
    embedding="all-MiniLM-L6-v2",
    width=192,
    encoder_layers=2,
    encoder_heads=4,
    encoder_inner=512,
    encoder_positions=128,
    initial_scale=5.0,
    decoder_width=192,
    decoder_layers=2,
    decoder_heads=4,
    decoder_inner=512,
    memory=8,
    vocabulary=1_500,
    beam=4,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        noise=0.0,
        dropout=0.0,
        channels=(48, 96),
        width=96,
        encoder_inner=192,
        encoder_dropout=0.0,
        decoder_width=96,
        decoder_inner=192,
        decoder_dropout=0.0,
        memory=4,
        vocabulary=600,
    ),
    "small": SMALL,
    "paper": Config(
        layout="mp203",
        parts=("body", "face", "left_hand", "right_hand"),
        coordinates=3,
        normalizer="shoulder",
        augment=0.0,
        noise=0.0,
        max_frames=400,
        channels=(),
        stride=1,
        encoder_pretrained="sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    ),
}
"""tiny ≤ 1 M parameters (tests, claims), small (two cores), paper with SLTr as its decoder (spec §4)."""
