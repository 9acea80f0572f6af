"""A checkpoint to the model it holds."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from signloom.errors import MediaError, SignloomError, UsageError, nearest, one_line
from signloom.inference import recognize, translate
from signloom.methods.method import METHODS, method_named
from signloom.training.checkpoint import Checkpoint, read_checkpoint

BUNDLED = {
    "bundled": translate.BUNDLED,
    "bundled-posestitch": translate.BUNDLED.parent / "posestitch",
    "bundled-unified": translate.BUNDLED.parent / "unified",
    "bundled-recogniser": recognize.BUNDLED,
}
"""Name → the folder of a model that comes with the package; each knows simulated signing only."""


def folder_of(path_or_hub_id: str | Path) -> str | Path:
    """The folder of a model that comes with the package; of any other what was given."""
    return BUNDLED.get(str(path_or_hub_id), path_or_hub_id)


def load(path_or_hub_id: str | Path = "bundled", onnx: bool = False) -> Any:
    """The model of a checkpoint folder or hub id ("org/name"), ready for use, on the CPU.

    "bundled" is the translator that comes with the package; `BUNDLED` has the others' names.
    What a model can do is asked of it by the protocols of ``inference`` (`Translator`, …). A folder that
    `signloom export` wrote is run by ONNX Runtime; ``onnx`` asks for one.

    A checkpoint that does not say what it has learnt from counts as one that knows
    simulated signing only. Raises MediaError where there is no checkpoint, its method is unknown here, or
    its weights do not fill the model whole; UsageError where a model is to be run by ONNX Runtime that
    has not been exported.
    """
    bundled = str(path_or_hub_id) in BUNDLED
    checkpoint = read_checkpoint(folder_of(path_or_hub_id))
    method, exported = checkpoint.config.get("method"), "onnx" in checkpoint.config
    if method not in METHODS:
        raise MediaError(
            f"checkpoint {path_or_hub_id} is of method {method!r}, which this signloom does not "
            f"know{nearest(str(method), METHODS)}; expected one of {', '.join(METHODS)}"
        )
    if onnx and not exported:
        raise UsageError(
            f"{path_or_hub_id} holds weights, expected graphs for ONNX Runtime; write them with "
            f"`signloom export {path_or_hub_id} -o FOLDER` and give that folder"
        )
    try:
        if exported:
            from signloom.methods.exported import restore_exported

            model = restore_exported(checkpoint)
        else:
            with _bounded(checkpoint):
                model = method_named(method).restore(checkpoint)
    except SignloomError:
        raise
    except Exception as error:  # tokenizers raises bare Exception; odd settings raise all sorts
        raise MediaError(
            f"checkpoint {checkpoint.folder} is damaged ({one_line(error)}); "
            "copy the whole folder again"
        ) from error
    model.name = str(path_or_hub_id) if bundled else name_of(path_or_hub_id, checkpoint.config)
    model.simulated_only = bool(checkpoint.config.get("simulated_only", True))
    return model.eval()


def _bounded(checkpoint: Checkpoint) -> AbstractContextManager[Any]:
    """No model far larger than the weights is built; where it borrows others', these stand on their own."""
    from signloom.training.bounds import Bounded

    if borrows(checkpoint.config):
        return nullcontext()
    parameters, tensors = checkpoint.counts()
    return Bounded(parameters, tensors, str(checkpoint.folder))


def borrows(config: dict[str, Any]) -> bool:
    """Whether a model, or one of two that are fused, stands on weights that are not in its own file."""
    fused = [part for part in (config.get("fused") or {}).values() if isinstance(part, dict)]
    told = [part.get("config") or {} for part in (config, *fused)]
    return any(each.get("adapter", "full") != "full" or each.get("lip_weights") for each in told)


def name_of(path_or_hub_id: str | Path, config: dict[str, Any]) -> str:
    """What a model is called in outputs: the name in its config, else where it came from."""
    return str(config.get("name") or path_or_hub_id)
