"""Translation and alignment in one: the method's settings, and the three sizes it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from signloom.data.layouts import FEATURES, layout_named
from signloom.encoders.streams import Stream
from signloom.errors import UsageError
from signloom.methods.settings import Rules, settings_from

NAME = "unified"
BridgeName = Literal["perceiver", "shuffle", "conv", "mlp"]
LipName = Literal["none", "small", "auto_avsr"]
AdapterKind = Literal["dora", "lora", "full", "frozen"]


@dataclass(frozen=True)
class Config:
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    # The clip
    layout: str = "mp203"
    coordinates: int = 3
    streams: tuple[Stream, ...] = ("position",)
    """What the backbone reads of a keypoint (`encoders.streams`); position alone is the paper's."""
    presence: bool = False
    """A keypoint's last number says whether it was seen [D]."""
    fps: float = 25.0
    window: float = 20.0
    """Seconds; a longer clip is cut to its first ones, and times are told in its 500 ticks."""
    stretch: float = 0.0
    """Training clips are stretched by up to e^± this, x and y apart [D]."""
    turn: float = 0.0
    """Training clips are turned by up to ± this many degrees [D]."""
    noise: float = 0.0
    """σ of noise on training keypoints, in shoulder widths [D]."""

    # The pose backbone
    channels: int = 64
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    aggregation: Literal["project", "mean"] = "project"
    factored: bool = False
    adaptive: bool = True
    chunk: int | None = None
    """Frames that graphs, lip reader and normaliser see at a time, each chunk alone (`Watch`); None = the
    whole clip (the paper's)."""
    width: int = 512
    layers: int = 4
    heads: int = 8
    head_width: int = 64
    dropout: float = 0.1
    conformer_window: int = 24
    conformer_stride: int = 2

    # The lip backbone
    lips: LipName = "none"
    """Who looks at the mouth: nobody, a small encoder, or Auto-AVSR's (the paper's)."""
    lip_weights: str = ""
    """Folder of the encoder's weights, which then stand still (the paper's). "" = the small one
    learns with the rest [D]; Auto-AVSR's is refused without."""

    # The bridge
    bridge: BridgeName = "perceiver"
    bridge_depth: int = 2
    bridge_heads: int = 8
    bridge_window: int = 8
    bridge_stride: int = 2

    # The language model
    language: str = ""
    """Folder or hub id of a T5; "" = one of the shape below, with random weights."""
    revision: str = ""
    adapter: AdapterKind = "dora"
    rank: int = 32
    alpha: float = 64.0
    adapter_dropout: float = 0.05
    adapter_targets: tuple[str, ...] = ("q", "v")
    vocabulary: int = 2_000
    """Tokens of the tokenizer that is trained on the texts where there is no ``language``."""
    language_width: int = 256
    language_inner: int = 512
    language_layers: int = 4
    language_heads: int = 4
    language_dropout: float = 0.1
    max_tokens: int = 64
    """Tokens of a text; what is longer is cut."""
    spoken: str = "English"

    # The losses and what the prompt tells
    soft: float = 0.1
    """λ of the soft-decoding loss."""
    soft_kind: Literal["digit", "place"] = "digit"
    audio: float = 0.5
    """How often the prompt of a training sample tells when the text is said."""
    previous: float = 0.0
    """How often the prompt of a training sample tells the sentence before (F3.2)."""

    # Decoding
    beam: int = 5
    length_penalty: float = 1.0
    no_repeat: int = 3

    def __post_init__(self) -> None:
        layout_named(self.layout)
        if self.adapter in ("dora", "lora", "frozen") and not self.language:
            raise UsageError(
                f"unified: adapter '{self.adapter}' needs a pretrained language model under "
                "'language' (a folder or hub id): on random weights there is nothing to adapt; "
                "give one (see 'signloom language'), or set adapter to 'full'"
            )
        if self.bridge == "shuffle" and self.bridge_stride < 2:
            raise UsageError(
                "unified: a token shuffle of stride 1 puts nothing together; set bridge_stride to 2 "
                "or more"
            )
        if self.lips == "auto_avsr" and not self.lip_weights:
            raise UsageError(
                "unified: lips 'auto_avsr' needs the published weights under 'lip_weights' (see "
                "signloom.encoders.auto_avsr): from random weights it would see nothing; give "
                "their folder, or set lips to 'small'"
            )
        if self.lip_weights and self.lips == "none":
            raise UsageError(
                f"unified: lip_weights '{self.lip_weights}' are for lips, and lips is 'none'; set lips to "
                "'small' or 'auto_avsr', or leave lip_weights out"
            )
        if self.frames < self.conformer_window and not self.reads_features:
            raise UsageError(
                f"unified: a window of {self.window:g} s at {self.fps:g} a second has {self.frames} frames, "
                f"expected conformer_window {self.conformer_window} or more; make it longer"
            )
        if self.chunk and (self.reads_features or 2 * self.chunk > self.frames):
            raise UsageError(
                f"unified: chunk is {self.chunk} frames of a window of {self.frames} in layout '{self.layout}', "
                "expected half of a window or less, and keypoints; make it smaller, or leave it out"
            )
        if self.conformer_window % self.conformer_stride:
            raise UsageError(
                f"unified: conformer_window {self.conformer_window} is no multiple of "
                f"conformer_stride {self.conformer_stride}; make it one"
            )
        moved = self.stretch or self.turn or self.noise
        if self.reads_features and (moved or self.lips != "none"):
            raise UsageError(
                f"unified: layout '{self.layout}' is of frames that a backbone has seen already: "
                "keypoints cannot be moved and no mouth is read; set stretch, turn and noise to 0 "
                "and lips to none"
            )

    def idle(self) -> dict[str, str]:
        """Settings that change nothing here → why."""
        found: dict[str, str] = {}
        if self.reads_features:
            found |= dict.fromkeys(
                BACKBONE, f"layout '{self.layout}' is of frames that a backbone has seen"
            )
        if self.bridge != "perceiver":
            found |= dict.fromkeys(PERCEIVER, f"bridge is '{self.bridge}'")
        if self.adapter not in ("dora", "lora"):
            found |= dict.fromkeys(ADAPTER, f"adapter is '{self.adapter}'")
        if self.language:
            found |= dict.fromkeys(T5, f"language is '{self.language}'")
        else:
            found |= {"revision": "there is no language"}
        if not self.soft:
            found |= {"soft_kind": "soft is 0"}
        return found

    @property
    def reads_features(self) -> bool:
        """Whether clips are a backbone's features; the settings of the backbones then say nothing."""
        return self.layout.startswith(FEATURES)

    @property
    def frames(self) -> int:
        """Of a window, at ``fps``."""
        return round(self.window * self.fps)

    @property
    def rate(self) -> float:
        """Frames a second that the bridge reads."""
        return self.fps if self.reads_features else self.fps / self.conformer_stride

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML). Raises UsageError naming what does not fit."""
        return settings_from(cls, NAME, values, RULES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


BACKBONE = (
    "coordinates", "streams", "presence", "channels", "multipliers", "aggregation", "factored", "adaptive",
    "width", "layers", "heads", "head_width", "dropout", "conformer_window", "conformer_stride",
)  # fmt: skip
PERCEIVER = ("bridge_depth", "bridge_heads", "bridge_window")
ADAPTER = ("rank", "alpha", "adapter_dropout", "adapter_targets")
T5 = (
    "vocabulary", "language_width", "language_inner", "language_layers", "language_heads",
    "language_dropout",
)  # fmt: skip
RULES = Rules(
    choices={
        "aggregation": ("project", "mean"),
        "bridge": get_args(BridgeName),
        "lips": get_args(LipName),
        "adapter": get_args(AdapterKind),
        "soft_kind": ("digit", "place"),
        "streams": get_args(Stream),
        "coordinates": (2, 3),
    },
    shares=("dropout", "adapter_dropout", "language_dropout", "audio", "previous"),
    least={"fps": 1.0, "window": 1.0, "max_tokens": 2, "no_repeat": 0},
    whole=1,
    real=0.0,
    optional={"chunk": int},
)


SMALL = Config(
    layout="ps76",
    coordinates=2,
    streams=("position", "local", "velocity"),
    presence=True,
    fps=12.5,
    stretch=0.15,
    turn=8.0,
    noise=0.01,
    channels=16,
    multipliers=(1, 1, 2, 2),
    factored=True,
    adaptive=False,
    width=128,
    layers=1,
    heads=4,
    head_width=32,
    conformer_window=8,
    conformer_stride=2,
    bridge_depth=1,
    bridge_heads=4,
    bridge_window=4,
    bridge_stride=1,
    adapter="full",
    vocabulary=1_500,
    language_width=192,
    language_inner=512,
    language_layers=3,
    language_heads=4,
    beam=4,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        stretch=0.0,
        turn=0.0,
        noise=0.0,
        channels=8,
        multipliers=(1, 1, 1, 1),
        width=64,
        layers=1,
        heads=2,
        dropout=0.0,
        bridge_depth=1,
        bridge_heads=2,
        vocabulary=600,
        language_width=96,
        language_inner=192,
        language_layers=2,
        language_heads=2,
        language_dropout=0.0,
    ),
    "small": SMALL,
    "paper": Config(language="google/flan-t5-xl"),
}
"""tiny ≤ 1 M parameters (tests, claims), small ≤ 4.5 M (two cores), paper as published (spec §3)."""
