"""Pictures to frame features, by a vision model that others trained (spec §4, input; F4.2)."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.clip import Origin
from signloom.errors import MediaError, UsageError, one_line

Pooling = Literal["cls", "mean", "spatial"]
GRID = 2
"""Fields along each side of the picture, with "spatial"."""
EXTRACTOR = "image-features"


def pooled(states: Float[Tensor, "batch ..."], pooling: Pooling) -> Float[Tensor, "batch width"]:
    """The last states of a vision model as one vector a picture.

    states: (B, N, D) of a transformer, patches in rows behind what it puts before them ([CLS],
    registers); or (B, D, H, W) of a convolutional network.
    cls: the first state. mean: the mean over patches or places. spatial: the means over GRID × GRID
    fields, row by row, (B, GRID² · D), which keeps where something is.

    Raises UsageError for "cls" where nothing stands before the patches.
    """
    if states.ndim == 3:
        side = math.isqrt(states.shape[1])
        before = states.shape[1] - side**2
        if pooling == "cls" and before:
            return states[:, 0]
        states = states[:, before:].transpose(1, 2).unflatten(2, (side, side))
    if pooling == "cls":
        raise UsageError(
            f"pooling 'cls' takes the state of the picture as a whole, and this model has none; give one "
            f"of {', '.join(get_args(Pooling)[1:])}"
        )
    if pooling == "mean":
        return states.mean((2, 3))
    fields = torch.nn.functional.adaptive_avg_pool2d(states, GRID)
    return fields.permute(0, 2, 3, 1).flatten(1)


class ImageFeatures:
    """A vision model of transformers, from a folder or hub id, that makes a vector of each picture.

    Only safetensors are read, and no code of a model's own is run. Raises MediaError where it cannot be
    read, or a weight is missing or of another shape.
    """

    def __init__(self, source: str, pooling: Pooling = "mean"):
        from transformers import AutoImageProcessor, AutoModel

        safely: dict[str, Any] = {"trust_remote_code": False}
        try:
            self.processor = AutoImageProcessor.from_pretrained(source, backend="pil", **safely)
            model, report = AutoModel.from_pretrained(
                source,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                use_safetensors=True,
                **safely,
            )
        except Exception as error:  # transformers raises whatever the files lead it to
            raise MediaError(
                f"the vision model '{source}' cannot be read ({one_line(error)}); give a folder or hub id with "
                "config.json, preprocessor_config.json and model.safetensors"
            ) from error
        lost = [*report["missing_keys"], *(key[0] for key in report["mismatched_keys"])]
        if lost := sorted(str(name) for name in lost if "pooler." not in str(name)):
            raise MediaError(
                f"the weights of '{source}' leave {len(lost)} tensors of the vision model random, the "
                f"first {lost[0]}; copy the weights again, or give the config.json that belongs to them"
            )
        self.model = getattr(model, "vision_model", model).eval()
        self.source, self.pooling = source, pooling

    @property
    def side(self) -> int:
        """Pixels along the longer side of what the model is shown."""
        sizes = [dict(getattr(self.processor, name, None) or {}) for name in ("size", "crop_size")]
        edges = [int(v) for size in sizes for name, v in size.items() if v and "pixels" not in name]
        return max(edges or [224])

    @property
    def origin(self) -> Origin:
        """Which weights made a clip, and how they were pooled."""
        digest = hashlib.sha256()
        for _, tensor in sorted(self.model.state_dict().items()):
            digest.update(tensor.contiguous().numpy().tobytes())
        settings = {"model": self.source, "pooling": self.pooling}
        return Origin(EXTRACTOR, digest.hexdigest()[:16], settings)

    @torch.inference_mode()
    def __call__(self, pictures: NDArray[np.uint8], rows: int = 16) -> NDArray[np.float32]:
        """(N, width) of RGB pictures (N, height, width, 3).

        Raises UsageError as `pooled`, and where the model is shown pictures that it does not take, or
        whose rows of patches cannot be told.
        """
        parts = []
        for first in range(0, len(pictures), rows):
            given = self.processor(
                images=list(pictures[first : first + rows]),
                return_tensors="pt",
                input_data_format="channels_last",
            )
            shown = given["pixel_values"]
            size = f"{shown.shape[3]}×{shown.shape[2]}"
            try:
                states = self.model(pixel_values=shown).last_hidden_state
            except (ValueError, RuntimeError) as error:
                raise UsageError(
                    f"the vision model '{self.source}' does not take the pictures of {size} pixels that its "
                    f"preprocessor_config.json makes ({error}); give the one that belongs to it"
                ) from error
            if states.ndim == 3 and shown.shape[2] != shown.shape[3]:
                raise UsageError(
                    f"the vision model '{self.source}' is shown pictures of {size} pixels, expected square "
                    "ones: its patches are told from their number; let its preprocessor_config.json "
                    "crop or resize to a square"
                )
            parts.append(pooled(states, self.pooling).numpy())
        return np.concatenate(parts)
