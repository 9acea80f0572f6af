"""Which model looks at an episode that is aligned, and what it adds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.cli.episode import Source
    from signloom.data.clip import PoseClip
    from signloom.data.timing import Span
    from signloom.inference.locate import Locator
    from signloom.inference.retime import Refine
    from signloom.inference.spotting import Spotter
    from signloom.inference.windows import Place


def seer(name: str, place: Place = "program") -> Locator | Spotter:
    """The model of a checkpoint: one that finds texts in signing, or one that spots signs.

    Raises UsageError where it does neither, or cannot answer as ``place`` wants.
    """
    from signloom.inference.locate import Locator
    from signloom.inference.spotting import Spotter
    from signloom.inference.translate import Translator
    from signloom.methods.exported import Exported
    from signloom.methods.load import load

    model = load(name)
    if isinstance(model, Locator):
        return model
    if isinstance(model, Spotter) and isinstance(model, Exported):
        raise UsageError(
            f"model '{name}' is graphs for ONNX Runtime, which name the sign of a clip and spot none in "
            "continuous signing; give the checkpoint that was exported, or leave --model out to align "
            "without"
        )
    if isinstance(model, Spotter) and not model.spots:
        raise UsageError(
            f"model '{name}' names single signs by what continuous signing does not give (hands alone, "
            "or lips), expected one of poses with shoulders; leave --model out to align without"
        )
    if isinstance(model, Spotter) and place == "program":
        return model
    if isinstance(model, Spotter):
        raise UsageError(
            f"model '{name}' spots single signs, which --place {place} cannot place; leave "
            "--place out"
        )
    does = "translates" if isinstance(model, Translator) else "does something else"
    raise UsageError(
        f"model '{name}' {does} and does not find texts in signing, expected one that was "
        "trained to align (method 'unified') or to recognise single signs ('isolated'); leave "
        "--model out to align without one"
    )


def refuse_misfit(model: Any, poses: Path, allow_simulated: bool) -> None:
    """Refuses what the model cannot read, before the slow extraction: UntrustedResultError for
    real signing before a simulated-only model, UsageError for a layout it cannot reach."""
    from signloom.inference.translate import refuse_untrusted
    from signloom.pose.convert import conversion
    from signloom.pose.files import read_header

    if poses.suffix.lower() != ".pose":
        refuse_untrusted(model, False, allow_simulated, str(poses))
        return
    header = read_header(poses)
    refuse_untrusted(model, header.origin.simulated, allow_simulated, str(poses))
    conversion(header.layout, model.layout)


def used(model: Locator | Spotter, place: Place) -> str:
    """How a model's answers enter, as outputs have it: "program", "plateau", "spotting"."""
    from signloom.inference.spotting import Spotter

    return "spotting" if isinstance(model, Spotter) else place


def usual_for(poses: Path) -> Locator | Spotter | None:
    """The bundled recogniser for poses that say they are simulated and that it can read, else none."""
    from signloom.pose.convert import conversion
    from signloom.pose.files import read_header

    if poses.suffix.lower() != ".pose":
        return None
    header = read_header(poses)
    if not header.origin.simulated:
        return None
    model = _bundled()
    try:
        conversion(header.layout, model.layout)
    except UsageError:
        return None
    return model


@cache
def _bundled() -> Locator | Spotter:
    from signloom.inference.recognize import BUNDLED

    return seer(str(BUNDLED))


def refined(
    model: Locator | Spotter, source: Source, place: Place = "program", lips: bool = False
) -> Refine:
    """What a model adds to the program on an episode."""
    from signloom.inference.spotting import Spotter, WithSpotter
    from signloom.inference.windows import WithModel

    def read(span: Span) -> PoseClip:
        return source.moment(span.start, span.end)

    duration = source.activity.duration
    if isinstance(model, Spotter):
        return WithSpotter(model, read, duration)
    return WithModel(model, read, duration, place, mouths=source.mouths if lips else None)
