"""What a claim is: a paper's statement, the arms that decide it, the metric, and the corpora per scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import signloom
from signloom.claims.arms import Job, Test
from signloom.claims.measured import Measured
from signloom.errors import UsageError, nearest
from signloom.methods.recipe import Curriculum, Recipe, read_recipe

ROOT = Path(signloom.__file__).parent.parent
"""The checkout: recipes, results and docs lie in it."""
RUNS, RESULTS = Path("runs/claims"), ROOT / "results" / "claims"
ScaleName = Literal["tiny", "small", "paper"]
SCALES: tuple[str, ...] = get_args(ScaleName)


@dataclass(frozen=True)
class Paper:
    """A paper whose claims are tested, and the method here that is its."""

    name: str
    title: str
    source: str
    method: str


@dataclass(frozen=True)
class Scale:
    """What the arms of a paper start from at one scale.

    base: a recipe (or the benchmark that measures), from the checkout's root.
    settings: changes of it that all arms share. partner: the recipe of a recogniser of lips that is
    trained too and answers with the arms whose reading says so; "" = none.
    test: what every arm is scored on. corpora: in words. needs: data that is its owners' to give.
    minutes: an arm's training on one core, roughly; said before it begins.
    """

    base: str
    test: Test
    corpora: str
    minutes: float
    settings: tuple[str, ...] = ()
    needs: str = ""
    partner: str = ""


@dataclass(frozen=True)
class Arm:
    """One system of a comparison: the scale's base with these settings ("key=value").

    reading: which of `readings.READINGS` of the trained arm it is, "" = the usual one.

    {p} stands for the mean share of real batches under the base's curriculum, {turn} for the
    step that leaves this share to what follows it: arms that differ in the curriculum alone
    then see as many real and as many synthetic batches as the base. {train} is the base's
    store of real sentences, {steps} its number of steps.
    """

    name: str
    what: str
    settings: tuple[str, ...] = ()
    reading: str = ""


@dataclass(frozen=True)
class Part:
    """One test of a claim.

    kind "ordered": each arm beats the next. "equivalent": the two arms differ by less than
    ``least``. "falling": an arm's score falls from bucket to bucket of unseen signs.
    by: an arm must beat the next by more than this. least: the smallest difference that
    counts, in the metric's unit, ours; for "equivalent" the margin.
    """

    kind: Literal["ordered", "equivalent", "falling"]
    arms: tuple[str, ...]
    metric: str
    least: float
    by: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A statement of a paper (C…), or a question of ours beside it (F…).

    parts: all of them have to hold. measured: instead of parts, what a benchmark measures once.
    needs: the method (or weights) without which it cannot be run yet. ours: what is the project's
    own reading in it. base: what of ``SETTINGS`` its arms start from, "" = the paper's method.
    """

    id: str
    paper: str
    statement: str
    parts: tuple[Part, ...] = ()
    needs: str = ""
    ours: str = ""
    scales: tuple[str, ...] = field(default=SCALES)
    base: str = ""
    measured: Measured | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of all parts, each once."""
        return tuple(dict.fromkeys(arm for part in self.parts for arm in part.arms))


def recipe_of(arm: Arm, scale: Scale, seed: int) -> Recipe:
    """The recipe of an arm at a scale. Raises UsageError where there is no checkout to take it from."""
    path = _file(scale.base)
    base = _read(path, scale.settings)
    p = mean_real(base)
    filled = {
        "{p}": f"{p:.4f}",
        "{steps}": str(base.training.steps),
        "{turn}": str(round((1 - p) * base.training.steps)),
        "{train}": getattr(base.data.train, "store", ""),
    }
    settings = list(arm.settings)
    for place, value in filled.items():
        settings = [text.replace(place, value) for text in settings]
    return _read(path, (*scale.settings, *settings, f"seed={seed}"))


def partner_of(scale: Scale, seed: int) -> Recipe | None:
    """The recipe of what is trained beside a scale's arms. Raises UsageError as `recipe_of`."""
    return _read(_file(scale.partner), (f"seed={seed}",)) if scale.partner else None


@cache
def _read(path: Path, settings: tuple[str, ...]) -> Recipe:
    """As `read_recipe`, once for all arms that are alike."""
    return read_recipe(path, settings)


def _file(recipe: str) -> Path:
    path = ROOT / recipe
    if not path.is_file():
        raise UsageError(
            f"the recipe {recipe} is not beside this signloom; claims are run in a checkout of "
            "the repository: clone it and run `pip install -e .` there"
        )
    return path


def mean_real(recipe: Recipe) -> float:
    """The share of batches that the curriculum takes from the real source, over the whole run."""
    return _mean_real(recipe.curriculum, recipe.training.steps)


@cache
def _mean_real(curriculum: Curriculum, steps: int) -> float:
    schedule = curriculum.schedule()
    looked_at = range(0, steps, max(1, steps // 5_000))  # every step of a short run
    return sum(schedule(step) for step in looked_at) / len(looked_at)


def jobs_of(
    names: tuple[str, ...],
    arms: Mapping[str, Arm],
    scale: Scale,
    seeds: tuple[int, ...],
) -> list[Job]:
    """Every arm with every seed. Raises UsageError for an arm that is not among ``arms``."""
    for name in names:
        if name not in arms:
            raise UsageError(
                f"there is no arm '{name}'{nearest(name, list(arms))}; the arms are {', '.join(arms)}"
            )
    return [
        Job(
            name,
            recipe_of(arms[name], scale, seed),
            scale.test,
            arms[name].reading,
            partner_of(scale, seed),
        )
        for name in names
        for seed in seeds
    ]
