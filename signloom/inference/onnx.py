"""Parts of a model as ONNX graphs, and ONNX Runtime in their place.

A method says which of its parts compute alone (`Graph`), `write_graph` writes one, `Session` runs it.
What needs no graph, preparing clips and searching with a beam, stays in Python.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from inspect import Parameter, signature
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from signloom.errors import MediaError, MissingExtraError

OPSET = 20


@dataclass(frozen=True)
class Graph:
    """A part of a model that computes alone.

    module: in eval mode; called with ``inputs`` by position. inputs: name → an example; an axis that
    may vary is 2 or longer in it. varies: input → axis → the axis's name; axes of one name are
    of one length. outputs: names of what the module returns, in order.
    """

    module: nn.Module
    inputs: Mapping[str, Tensor]
    varies: Mapping[str, Mapping[int, str]]
    outputs: tuple[str, ...]


def write_graph(graph: Graph, path: Path) -> float:
    """Writes one ONNX file and runs it on the examples; the largest difference from the module.

    Raises MissingExtraError where onnx or ONNX Runtime is not installed.
    """
    for package in ("onnx", "onnxscript"):
        _needed(package)
    varies = [dict(graph.varies.get(name, {})) or None for name in graph.inputs]
    with _quiet():
        torch.onnx.export(
            graph.module,
            tuple(graph.inputs.values()),
            str(path),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=_as_declared(graph.module, varies),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            optimize=False,  # its rewriting fails on a GRU; ONNX Runtime optimises when it loads
        )
    with torch.inference_mode():
        wanted = graph.module(*graph.inputs.values())
    wanted = (wanted,) if isinstance(wanted, Tensor) else wanted
    found = Session(path)(**graph.inputs)
    return max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True))


def _as_declared(module: nn.Module, each: list[Any]) -> tuple[Any, ...]:
    """One thing for each input, those of ``*inputs`` in a tuple of their own, as torch wants them."""
    kinds = [parameter.kind for parameter in signature(module.forward).parameters.values()]
    if Parameter.VAR_POSITIONAL not in kinds:
        return tuple(each)
    at = kinds.index(Parameter.VAR_POSITIONAL)
    return (*each[:at], tuple(each[at:]))


class Session:
    """A graph in ONNX Runtime: tensors by name in, tensors in the graph's order out, all on the CPU.

    Raises MissingExtraError where ONNX Runtime is not installed, MediaError where the file is missing or
    is none of its graphs.
    """

    def __init__(self, path: Path):
        onnxruntime = _needed("onnxruntime")
        if not path.is_file():
            raise MediaError(
                f"{path} is not there, expected a graph that `signloom export` wrote; copy the whole folder again"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions have no common class
            raise MediaError(
                f"{path} is not a graph that ONNX Runtime can run ({error}); copy the folder again"
            ) from error

    def __call__(self, **inputs: Tensor) -> list[Tensor]:
        given = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in inputs.items()}
        return [torch.from_numpy(each) for each in self._session.run(None, given)]


def sessions(folder: Path, names: Sequence[str]) -> dict[str, Session]:
    """The graphs NAME.onnx of a folder, each ready to run."""
    return {name: Session(folder / f"{name}.onnx") for name in names}


def _needed(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingExtraError("A model as ONNX graphs", "onnx") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of its own progress, of torchvision and of empty attributes."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
