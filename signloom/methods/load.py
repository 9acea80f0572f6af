"""A checkpoint to the model it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signloom.errors import MediaError, SignloomError, nearest
from signloom.inference.translate import BUNDLED
from signloom.methods import posestitch
from signloom.training.checkpoint import Checkpoint, load_tensors, read_checkpoint

METHODS = (posestitch.NAME,)


def load(path_or_hub_id: str | Path = "bundled") -> posestitch.PoseStitch:
    """The model of a checkpoint folder or hub id ("org/name"), ready to translate, on the CPU.

    "bundled" is the one that comes with the package; it knows simulated signing only.

    A checkpoint that does not say what it has learnt from counts as one that knows
    simulated signing only. Raises MediaError where there is no checkpoint, its method is unknown here, or
    its weights do not fill the model whole.
    """
    bundled = str(path_or_hub_id) == "bundled"
    checkpoint = read_checkpoint(BUNDLED if bundled else path_or_hub_id)
    method = checkpoint.config.get("method")
    if method == posestitch.NAME:
        model = load_posestitch(checkpoint)
    else:
        raise MediaError(
            f"checkpoint {path_or_hub_id} is of method {method!r}, which this signloom does not "
            f"know{nearest(str(method), METHODS)}; expected one of {', '.join(METHODS)}"
        )
    model.name = "bundled" if bundled else name_of(path_or_hub_id, checkpoint.config)
    model.simulated_only = bool(checkpoint.config.get("simulated_only", True))
    return model.eval()


def load_posestitch(checkpoint: Checkpoint) -> posestitch.PoseStitch:
    """The POSESTITCH-SLT model of a checkpoint, weights loaded whole."""
    try:
        config = posestitch.Config.of(checkpoint.config.get("config", {}))
        model = posestitch.build(config, checkpoint.tokenizer(), pretrained=False)
        load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    except SignloomError:
        raise
    except Exception as error:  # tokenizers raises bare Exception; odd settings raise all sorts
        raise MediaError(
            f"checkpoint {checkpoint.folder} is damaged ({type(error).__name__}: {error}); "
            "copy the whole folder again"
        ) from error
    return model


def name_of(path_or_hub_id: str | Path, config: dict[str, Any]) -> str:
    """What a model is called in outputs: the name in its config, else where it came from."""
    return str(config.get("name") or path_or_hub_id)
