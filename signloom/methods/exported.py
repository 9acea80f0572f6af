"""Models as ONNX graphs: what `signloom export` writes, and the same models run from it.

A folder of config.json, tokenizer.json, README.md and one NAME.onnx for each graph. Clips are prepared and
texts searched for by the method's own code, which here asks the graphs and holds no weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.files import writing_folder
from signloom.data.lips import SEEN
from signloom.errors import MediaError, UsageError
from signloom.inference.onnx import OPSET, Graph, Session, sessions, write_graph
from signloom.inference.recognize import Calibration
from signloom.language.beam import Step
from signloom.language.graphs import CrossedMemory, TokenStep, graph_stepper
from signloom.methods import isolated, posestitch
from signloom.methods.isolated import Isolated
from signloom.methods.posestitch import PoseStitch, feature_count
from signloom.training.checkpoint import CARD, CONFIG, TOKENIZER, Checkpoint, sha256_of

EXPORTED = ("isolated", "posestitch")
"""Methods that can be written as graphs."""

FORMAT = 2
"""What graphs take and give; 1 had the keys and values of all layers in one."""

APART = 1e-3
"""Logits of a graph and of its module may differ by so much."""


def export(model: Any, checkpoint: Checkpoint, folder: Path, overwrite: bool) -> dict[str, float]:
    """Writes the folder in one move; each graph's largest difference from its module, on an example.

    Raises UsageError for a method that is not EXPORTED, MissingExtraError where onnx is not
    installed, MediaError where a graph does not answer as its module does.
    """
    graphs = graphs_of(model)
    apart: dict[str, float] = {}
    with writing_folder(folder, overwrite) as temporary:
        for name, graph in graphs.items():
            file = temporary / f"{name}.onnx"
            apart[name] = write_graph(graph, file)
            if not apart[name] <= APART:
                raise MediaError(
                    f"graph '{name}' of model '{model.name}' is {apart[name]:g} from the model it was "
                    f"written from, expected at most {APART:g}; do not use it, and report this"
                )
        told = {key: value for key, value in checkpoint.config.items() if key != "weights"}
        told["onnx"] = {
            "format": FORMAT,
            "opset": OPSET,
            "graphs": {name: sha256_of(temporary / f"{name}.onnx") for name in graphs},
        }
        (temporary / CONFIG).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        for name in (TOKENIZER, CARD):
            if (checkpoint.folder / name).is_file():
                (temporary / name).write_bytes((checkpoint.folder / name).read_bytes())
    return apart


def graphs_of(model: Any) -> dict[str, Graph]:
    """What of a model computes alone. Raises UsageError for a model that is not of a method EXPORTED."""
    if isinstance(model, Exported):
        raise UsageError(
            f"model '{model.name}' is exported already; give the checkpoint it was made from"
        )
    if type(model) is Isolated:
        return {"recogniser": _recogniser(model)}
    if type(model) is PoseStitch:
        with torch.no_grad():
            return _translator(model)
    raise UsageError(
        f"model '{model.name}' is a {type(model).__name__}, expected a model of method "
        f"{' or '.join(EXPORTED)}; others run from their checkpoint"
    )


def restore_exported(checkpoint: Checkpoint) -> ExportedIsolated | ExportedPoseStitch:
    """The model of a folder that `export` wrote.

    Raises MediaError where a graph is missing, is not the one that was written, is of another FORMAT, or its method
    is not EXPORTED.
    """
    method, told = checkpoint.config.get("method"), checkpoint.config["onnx"]
    hashes = told["graphs"]
    if told.get("format") != FORMAT:
        raise MediaError(
            f"{checkpoint.folder} holds graphs in format {told.get('format', 1)}, expected {FORMAT}; "
            "export the checkpoint again with this signloom"
        )
    for name, expected in hashes.items():
        file = checkpoint.folder / f"{name}.onnx"
        if file.is_file() and sha256_of(file) != expected:
            raise MediaError(
                f"{file} is damaged: its sha256 is not config.json's; copy the folder again"
            )
    graphs = sessions(checkpoint.folder, list(hashes))
    if method == isolated.NAME:
        return ExportedIsolated(checkpoint.config, graphs)
    if method == posestitch.NAME:
        return ExportedPoseStitch(checkpoint.config, checkpoint.tokenizer(), graphs)
    raise MediaError(
        f"{checkpoint.folder} holds graphs of method {method!r}, expected {' or '.join(EXPORTED)}; "
        "update signloom"
    )


class Exported:
    """A model that is asked of its graphs; on the CPU."""

    name: str
    device = torch.device("cpu")


class ExportedIsolated(Exported, Isolated):
    """A recogniser of single signs. It does not spot signs in continuous signing."""

    spots = False

    def __init__(self, told: dict[str, Any], graphs: dict[str, Session]):
        with torch.device("meta"):
            Isolated.__init__(self, isolated.Config.of(told.get("config", {})), told["glosses"])
        self.graphs = graphs
        kept = told.get("calibration")
        self.calibration = Calibration.from_json(kept) if kept else None

    def forward(
        self, read: Float[Tensor, "batch time rows columns"]
    ) -> Float[Tensor, "batch glosses"]:
        return self.graphs["recogniser"](read=read)[0]


class ExportedPoseStitch(Exported, PoseStitch):
    """A translator."""

    def __init__(self, told: dict[str, Any], tokenizer: Tokenizer, graphs: dict[str, Session]):
        with torch.device("meta"):
            PoseStitch.__init__(self, posestitch.Config.of(told.get("config", {})), tokenizer)
        self.graphs = graphs

    def memory(  # type: ignore[override]
        self, features: Float[Tensor, "batch time features"], mask: Bool[Tensor, "batch time"]
    ) -> list[Tensor]:
        """What every layer of the decoder attends to."""
        return self.graphs["encoder"](features=features, mask=mask)

    def stepper(  # type: ignore[override]
        self, memory: list[Tensor], mask: Bool[Tensor, "batch time"], width: int
    ) -> Step:
        names = crossed_names(len(memory))

        def answer(tokens: Tensor, past: Tensor, mask: Tensor, *crossed: Tensor) -> list[Tensor]:
            given = dict(zip(names, crossed, strict=True))
            return self.graphs["decoder"](tokens=tokens, past=past, mask=mask, **given)

        return graph_stepper(answer, memory, mask, width)


def _recogniser(model: Isolated) -> Graph:
    config = model.config
    each = (SEEN, SEEN) if model.reads_lips else (len(model.layout), config.coordinates + 1)
    read = _drawn(2, config.frames, *each)
    return Graph(model, {"read": read}, {"read": {0: "batch"}}, ("logits",))


def _translator(model: PoseStitch) -> dict[str, Graph]:
    features = _drawn(2, 8, feature_count(model.config))
    mask = torch.arange(8) < torch.tensor([[8], [5]])
    encoder = _Encoder(model)
    crossed = encoder(features, mask)
    names = crossed_names(len(crossed))
    rows, heads, _, head_width = crossed[0].shape
    past = _drawn(len(crossed) // 2, 2, rows, heads, 3, head_width)
    tokens = torch.tensor([[1], [2]])
    frames = {0: "rows", 1: "time"}
    return {
        "encoder": Graph(
            encoder,
            {"features": features, "mask": mask},
            {"features": frames, "mask": frames},
            names,
        ),
        "decoder": Graph(
            TokenStep(model.seq2seq.decoder),
            {
                "tokens": tokens,
                "past": past,
                "mask": mask,
                **dict(zip(names, crossed, strict=True)),
            },
            {
                "tokens": {0: "rows"},
                "past": {2: "rows", 4: "before"},
                "mask": frames,
                **{name: {0: "rows", 2: "time"} for name in names},
            },
            ("logits", "after"),
        ),
    }


def crossed_names(count: int) -> tuple[str, ...]:
    """Of the keys and values of each layer of the decoder: keys_0, values_0, keys_1, …"""
    return tuple(f"{('keys', 'values')[i % 2]}_{i // 2}" for i in range(count))


def _drawn(*shape: int) -> Tensor:
    """An example that a graph cannot answer rightly without reading it."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


class _Encoder(nn.Module):
    """Frames → what every layer of the decoder attends to."""

    def __init__(self, model: PoseStitch):
        super().__init__()
        self.model = model
        self.crossed = CrossedMemory(model.seq2seq.decoder)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return self.crossed(self.model.memory(features, mask))
