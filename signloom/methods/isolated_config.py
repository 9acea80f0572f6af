"""Isolated sign recognition: its settings, and the three sizes it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from signloom.data.layouts import layout_named
from signloom.encoders.lip_backbone import EncoderName
from signloom.encoders.streams import Stream
from signloom.errors import UsageError
from signloom.inference.recognize import Reads
from signloom.methods.settings import Rules, settings_from

NAME = "isolated"
Normalizer = Literal["shoulder", "hands"]
Aggregation = Literal["project", "mean"]
Backbone = Literal["graph", "recurrent"]


@dataclass(frozen=True)
class Config:
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    # The clip
    reads: Reads = "pose"
    """pose: its keypoints. lips: its pictures of the mouth, and of the keypoints only when a hand
    is seen."""
    layout: str = "mp203"
    coordinates: int = 3
    """2 = (x, y), 3 = (x, y, z)."""
    normalizer: Normalizer = "shoulder"
    """shoulder: in shoulder widths from the neck (the paper's). hands: in palms from the middle of
    the picture, for layouts without a body [D]."""
    frames: int = 24
    """Frames that every clip is brought to, evenly, from the first that shows a hand to the last."""
    streams: tuple[Stream, ...] = ("position",)
    """What the backbone reads of a keypoint, see `streams_of`; position alone is the paper's."""
    presence: bool = False
    """A keypoint's last number says whether it was seen [D]."""

    # Training clips, all [D]
    turn: float = 0.0
    """σ of a turn in the picture plane, degrees."""
    stretch: float = 0.0
    """σ of ln of a stretch of x, and of one of y."""
    shift: float = 0.0
    """σ of a shift, in units of the normaliser."""
    noise: float = 0.0
    """σ of each keypoint's noise, in units of the normaliser."""
    finger: float = 0.0
    """σ of ln of a hand's own size, and of the turn (radians) of its fingers about the wrist."""
    mirror: float = 0.0
    """How often left and right change places."""
    ends: float = 0.0
    """σ of the clip's ends, as a share of it."""
    bend: float = 0.0
    """σ of how early or late its middle comes."""
    drop: float = 0.0
    """Share of frames that are lost and show the one before."""
    masked: int = 2
    """Up to so many articulators are hidden, evenly 0, 1, … (the paper: at most two of four)."""
    mask_share: float = 1.0
    """How often a clip is a candidate for that."""
    mixup: float = 0.0
    """α of the Beta that two clips of a batch are mixed by; 0 = not mixed."""

    # The backbone; of lips the Conformer alone
    backbone: Backbone = "graph"
    """graph: AGCN and Conformer (the paper's). recurrent: convolutions over each
    articulator's keypoints and a GRU, of which ``width`` and ``dropout`` are told [D]."""
    lip_encoder: EncoderName = "small"
    """Who looks at the mouth: a small encoder, or Auto-AVSR's (the paper's)."""
    lip_weights: str = ""
    """Folder of the encoder's weights, which then stand still (the paper's). "" = the small one
    learns with the rest [D]; Auto-AVSR's is refused without."""
    channels: int = 64
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    aggregation: Aggregation = "project"
    factored: bool = False
    adaptive: bool = True
    width: int = 512
    layers: int = 4
    heads: int = 8
    head_width: int = 64
    dropout: float = 0.1
    head_dropout: float = 0.0
    """Dropout before the head [D]."""
    cosine: float = 0.0
    """The head gives this many times the cosine of features and a gloss's weights [D]; 0 = a linear
    head (the paper's)."""

    # The losses
    label_smoothing: float = 0.0
    auxiliary: float = 1.0
    """Weight of L_aux; 0 = without it."""
    auxiliary_layers: int = 4
    contrastive: float = 1.0
    """Weight of L_con, where the glosses have text embeddings."""
    text_model: str = ""
    """Folder or hub id of a T5 whose embedding table gives the glosses' embeddings; "" = no L_con."""
    shared_width: int = 256
    temperature: float = 0.1
    """τ of L_con."""

    # Recognising
    mirrored_too: bool = False
    """A clip is also read mirrored, and both logits are averaged [D]."""

    def __post_init__(self) -> None:
        body = len(layout_named(self.layout).part("body"))
        if self.normalizer == "shoulder" and not body:
            raise UsageError(
                f"isolated: normalizer 'shoulder' needs shoulders, which layout '{self.layout}' has "
                "not; use 'hands'"
            )
        if self.lip_weights and self.reads == "pose":
            raise UsageError(
                f"isolated: lip_weights '{self.lip_weights}' are for lips, and reads is 'pose'; set reads to "
                "'lips', or leave lip_weights out"
            )
        if self.backbone == "recurrent" and self.width % 6:
            raise UsageError(
                f"isolated: a recurrent backbone's width is a multiple of 6, got {self.width}; give it "
                f"{6 * max(1, round(self.width / 6))}"
            )

    def idle(self) -> dict[str, str]:
        """Settings that change nothing here → why."""
        found: dict[str, str] = {}
        if self.reads == "lips":
            found |= dict.fromkeys((*GRAPH, *POINTS, "backbone"), "reads is 'lips'")
        else:
            found |= {"lip_encoder": "reads is 'pose'"}
            if self.backbone == "recurrent":
                found |= dict.fromkeys((*GRAPH, *CONFORMER), "backbone is 'recurrent'")
        if not self.text_model:
            found |= dict.fromkeys(("contrastive", *CONTRAST), "there is no text_model")
        elif not self.contrastive:
            found |= dict.fromkeys(CONTRAST, "contrastive is 0")
        if not self.auxiliary:
            found |= {"auxiliary_layers": "auxiliary is 0"}
        if not self.masked:
            found |= {"mask_share": "masked is 0"}
        return found

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, RULES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


GRAPH = (
    "channels", "multipliers", "aggregation", "factored", "adaptive", "auxiliary", "auxiliary_layers"
)  # fmt: skip
CONFORMER = ("layers", "heads", "head_width")
POINTS = (
    "coordinates", "streams", "presence", "turn", "stretch", "shift", "noise", "finger", "masked", "mask_share"
)  # fmt: skip
CONTRAST = ("shared_width", "temperature")
COUNTED = ("frames", "channels", "width", "layers", "heads", "head_width", "shared_width")
RULES = Rules(
    choices={
        "reads": get_args(Reads),
        "lip_encoder": get_args(EncoderName),
        "normalizer": get_args(Normalizer),
        "aggregation": get_args(Aggregation),
        "backbone": get_args(Backbone),
        "streams": get_args(Stream),
        "coordinates": (2, 3),
    },
    least=dict.fromkeys(COUNTED, 1),
    whole=0,
    real=0.0,
)


SMALL = Config(
    layout="hands42",
    coordinates=2,
    normalizer="hands",
    frames=32,
    streams=("position", "place", "local", "velocity"),
    presence=True,
    turn=7.0,
    stretch=0.12,
    shift=0.5,
    noise=0.02,
    finger=0.1,
    mirror=0.2,
    ends=0.1,
    bend=0.2,
    drop=0.1,
    masked=1,
    mask_share=0.3,
    channels=32,
    multipliers=(1, 1, 2, 2),
    factored=True,
    width=192,
    layers=3,
    heads=4,
    head_width=48,
    dropout=0.0,
    head_dropout=0.4,
    cosine=16.0,
    label_smoothing=0.1,
    auxiliary_layers=1,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        frames=16,
        channels=8,
        multipliers=(1, 2),
        width=64,
        layers=2,
        head_width=16,
        head_dropout=0.0,
        label_smoothing=0.0,
        turn=0.0,
        stretch=0.0,
        shift=0.0,
        finger=0.0,
        mirror=0.0,
        ends=0.0,
        bend=0.0,
        drop=0.0,
        masked=0,
    ),
    "fast": replace(SMALL, backbone="recurrent", dropout=0.2, masked=0),
    "small": SMALL,
    "paper": Config(),
}
"""tiny ≤ 0.5 M parameters (tests), fast (no graph; minutes of one core), small (two CPU cores), paper
as spec §3 has it."""
