"""A recipe: everything a training run depends on, in one YAML file, and the run itself."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import floor
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from torch import nn

import signloom
from signloom.corpora.store import open_store
from signloom.data.files import writing
from signloom.data.layouts import Layout, layout_named
from signloom.data.sample import Sample, SampleSource
from signloom.errors import UsageError, nearest
from signloom.inference.evaluate import is_cut
from signloom.inference.translate import needs_lips, reads_lips
from signloom.methods.card import card_of
from signloom.methods.finetune import Begun, begin_with_each
from signloom.methods.method import (
    METHODS,
    Method,
    Settings,
    better,
    learns_glosses,
    method_named,
    needs_glosses,
)
from signloom.methods.sources import (
    SOURCES,
    Chosen,
    Later,
    PrepareWord,
    Record,
    Source,
    glosses_of,
    located,
    open_source,
    signed_in,
    signed_places,
    stores_of,
    texts_of,
)
from signloom.training.checkpoint import CONFIG, save_checkpoint
from signloom.training.fit import Fitted, first_process, fit, launched_processes, where_it_stands
from signloom.training.mixing import (
    AnnealedCap,
    AnnealedScale,
    Disjoint,
    Fixed,
    Mixture,
    Schedule,
    Staged,
)
from signloom.training.stages import Plan, Stage

MOST_VALUES, DEEPEST = 10_000, 30
"""Of a recipe; one has some fifty, four deep."""

LOOKED_AT = 20
"""Samples of a source of which one must have lips for a model that reads them, and all for one that
reads nothing else."""


class Curriculum(Record):
    """How likely a step's batch is real, p(step); see ``training/mixing.py``.

    steps: N of the ramps, or where ``disjoint`` turns from synthetic to real.
    cap: the highest p of a ramp, the p of ``fixed``, the p after the turn of ``disjoint``.
    """

    kind: Literal["annealed_cap", "annealed_scale", "fixed", "disjoint"] = "annealed_cap"
    steps: Annotated[int, Field(ge=1)] = 60_000
    cap: Annotated[float, Field(ge=0, le=1)] = 0.85

    def schedule(self) -> Schedule:
        if self.kind == "annealed_cap":
            return AnnealedCap(self.steps, self.cap)
        if self.kind == "annealed_scale":
            return AnnealedScale(self.steps, self.cap)
        if self.kind == "disjoint":
            return Disjoint(self.steps, self.cap)
        return Fixed(self.cap)


class Data(Later):
    """train: the real source. synthetic: what it is mixed with, or none.

    train_without: glosses that the real source must not hold; a sample with one is passed over.
    train_each: how many real samples of each text there are at most, drawn by the recipe's seed; with a
    larger number come the same ones and others.
    train_limit: how many real samples there are at most, the first ones.
    dev: what the best checkpoint is chosen by, on its first ``dev_limit`` samples.
    """

    later: ClassVar[tuple[str, ...]] = ("train_each",)

    train: Source
    train_without: tuple[str, ...] = ()
    train_each: Annotated[int | None, Field(ge=1)] = None
    train_limit: Annotated[int | None, Field(ge=1)] = None
    synthetic: Source | None = None
    dev: Source
    dev_limit: Annotated[int, Field(ge=1)] = 200


class StageOf(Record):
    """A stage of several: its steps, what of the plan differs in it, and what it trains.

    train: globs over parameter names. lr, schedule, warmup: as the whole training has them where
    they are not said. data: what this stage is trained on instead of ``data.train`` and its mixture.
    """

    name: str
    steps: Annotated[int, Field(ge=1)]
    lr: Annotated[float | None, Field(gt=0)] = None
    schedule: Literal["constant", "linear", "cosine"] | None = None
    warmup: Annotated[int | None, Field(ge=0)] = None
    train: tuple[str, ...] = ("*",)
    data: Source | None = None


class Training(Later):
    """The loop's settings, as ``training/stages.py`` explains them; batch is in samples a step.

    metric: what of the validation chooses the best weights; "" = the method's first.
    stages: a curriculum of several; their steps add up to ``steps``, which need not be said then.
    """

    later: ClassVar[tuple[str, ...]] = ("stages", "average")

    steps: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)] = 16
    lr: Annotated[float, Field(gt=0)] = 3e-4
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: Annotated[int, Field(ge=0)] = 0
    restart: bool = False
    """With a ``disjoint`` curriculum: two stages, each with its own optimiser, warm-up and schedule."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    precision: Literal["float32", "bf16"] = "float32"
    clip: Annotated[float, Field(ge=0)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of a moving average of the weights, which is then what is validated and kept; 0 = none."""
    log_every: Annotated[int, Field(ge=0)] = 50
    save_every: Annotated[int, Field(ge=0)] = 500
    validate_every: Annotated[int, Field(ge=0)] = 2_500
    metric: str = ""
    beam: Annotated[int, Field(ge=1)] = 1
    """Beam of the validation; the model's own is used for evaluation."""
    device: Literal["auto", "cpu"] = "auto"
    save_dtype: Literal["float32", "float16"] = "float32"
    stages: tuple[StageOf, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _steps_of_stages(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not values.get("stages") or "steps" in values:
            return values
        steps = [s.get("steps", 0) if isinstance(s, dict) else 0 for s in values["stages"]]
        return {**values, "steps": sum(n for n in steps if isinstance(n, int))}


class Recipe(Record):
    """What a run is: the same recipe gives the same weights, bit for bit, on the same processor.

    config: settings of the method that differ from its preset.
    init: a checkpoint to begin with (methods/finetune.py), several of which each fills what those before it
        have left, or none.
    """

    name: str
    method: str
    init: str | tuple[str, ...] | None = None
    preset: str = "small"
    config: dict[str, Any] = Field(default_factory=dict)
    data: Data
    curriculum: Curriculum = Curriculum()
    training: Training
    seed: Annotated[int, Field(ge=0)] = 42

    @field_validator("init", mode="before")
    @classmethod
    def _checkpoints(cls, value: Any) -> Any:
        """One in a list is one, so that both ways of writing it are one recipe."""
        if value is None:
            return None
        several = value if isinstance(value, list | tuple) else [value]
        if not several or not all(isinstance(one, str) and one for one in several):
            raise ValueError(
                f"init is {value!r}, expected a checkpoint (a folder, a hub id or bundled) or a list of them"
            )
        return several[0] if len(several) == 1 else tuple(several)

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        if value not in METHODS:
            raise ValueError(
                f"there is no method '{value}'{nearest(value, METHODS)}; it is one of "
                f"{', '.join(METHODS)}"
            )
        return value

    @model_validator(mode="after")
    def _known_metric(self) -> Recipe:
        known = self.of_method.METRICS
        if self.training.metric and self.training.metric not in known:
            raise ValueError(
                f"training.metric is '{self.training.metric}'"
                f"{nearest(self.training.metric, known)}; {self.method} is validated by one of "
                f"{', '.join(known)}"
            )
        return self

    @model_validator(mode="after")
    def _stages_add_up(self) -> Recipe:
        stages = self.training.stages
        if stages and self.training.restart:
            raise ValueError("training.restart and training.stages exclude each other")
        if stages and (total := sum(s.steps for s in stages)) != self.training.steps:
            raise ValueError(
                f"training.stages have {total} steps together and training.steps says "
                f"{self.training.steps}; leave steps out"
            )
        return self

    @model_validator(mode="after")
    def _turns_where_it_restarts(self) -> Recipe:
        if not self.training.restart:
            return self
        if self.curriculum.kind != "disjoint" or self.curriculum.steps >= self.training.steps:
            raise ValueError(
                f"training.restart needs a 'disjoint' curriculum that turns within the "
                f"{self.training.steps} steps, got '{self.curriculum.kind}' at step "
                f"{self.curriculum.steps}; set curriculum.kind and curriculum.steps"
            )
        return self

    @property
    def of_method(self) -> Method:
        """The method's module."""
        return method_named(self.method)

    @property
    def begins_with(self) -> tuple[str, ...]:
        """The checkpoints of ``init``."""
        return (self.init,) if isinstance(self.init, str) else self.init or ()

    @property
    def metric(self) -> str:
        """What chooses the best weights."""
        return self.training.metric or self.of_method.METRICS[0]

    def settings(self) -> Settings:
        """The method's settings.

        Raises UsageError for an unknown preset or setting, and for one that is set and changes nothing.
        """
        presets = self.of_method.PRESETS
        if self.preset not in presets:
            raise UsageError(
                f"{self.method} has no preset '{self.preset}'"
                f"{nearest(self.preset, list(presets))}; it has {', '.join(presets)}"
            )
        usual = presets[self.preset].to_json()
        found = self.of_method.Config.of({**usual, **self.config})
        idle: Mapping[str, str] = found.idle() if hasattr(found, "idle") else {}
        for key, value in self.config.items():
            if key in idle and value and _as_json(value) != _as_json(usual[key]):
                raise UsageError(
                    f"{self.method}: {key} is set to {value!r} and changes nothing, since {idle[key]}; leave "
                    "it out, or change that"
                )
        return found

    def resolved(self) -> dict[str, Any]:
        """The recipe with every default written out, the method's settings too."""
        said = self.model_dump(mode="json", exclude={"init"} if self.init is None else None)
        said["training"]["metric"] = self.metric
        return {**said, "config": self.settings().to_json()}

    def hash(self) -> str:
        """sha256 of the resolved recipe as canonical JSON; a trained arm is kept under it."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a YAML file, with ``key.key=value`` overrides (values in YAML).

    Raises UsageError where it cannot be read, a value does not fit, or a key is
    unknown, naming the nearest.
    """
    file = Path(path)
    try:
        values = yaml.safe_load(file.read_text("utf-8"))
        _refuse_bomb(values)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"the recipe {file} cannot be read: {_of_yaml(error)}") from error
    if not isinstance(values, dict):
        raise UsageError(f"the recipe {file} holds no mapping; expected name, method, data, …")
    for override in overrides:
        _override(values, override)
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"recipe {file}: {_explained(error)}") from error
    recipe.settings()
    return recipe


def _override(values: dict[str, Any], override: str) -> None:
    """Sets one dotted key in place. Raises UsageError where it is no key=value or meets a plain value."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {override} is no key=value; write, say, --set training.steps=100")
    *folders, last = key.split(".")
    inside: Any = values
    for folder in folders:
        inside = inside.setdefault(folder, {}) if isinstance(inside, dict) else None
        if not isinstance(inside, dict):
            raise UsageError(f"--set {key}: '{folder}' holds a value, not further keys")
    try:
        inside[last] = yaml.safe_load(text)
        _refuse_bomb(values)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"--set {key}: '{text}' is not YAML ({_of_yaml(error)})") from error


def _of_yaml(error: Exception) -> str:
    """What is wrong with YAML, on one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem or error.context}"
    return " ".join(str(error).split())


def _refuse_bomb(values: Any) -> None:
    """Raises ValueError for more than MOST_VALUES values: aliases of aliases can be any number of them."""
    waiting, met = [(values, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        met += 1
        if met > MOST_VALUES or depth > DEEPEST:
            raise ValueError(
                f"it holds more than {MOST_VALUES:,} values, or some deeper than {DEEPEST}; write less"
            )
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list | tuple | set):
            waiting += [(inner, depth + 1) for inner in value]


def _explained(error: ValidationError) -> str:
    """The first thing wrong, with its dotted path, and the nearest key for an unknown one."""
    found = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", len(e["loc"])))
    path = [str(part) for part in found["loc"][:-1] if part not in SOURCES]
    path += [str(part) for part in found["loc"][-1:]]
    if not path:
        return str(found["msg"]).removeprefix("Value error, ")
    where = ".".join(path)
    if found["type"] == "extra_forbidden":
        known = _keys_at([str(part) for part in found["loc"]][:-1])
        return f"unknown key '{where}'{nearest(path[-1], known)}; known here: {', '.join(known)}"
    if found["type"] == "missing":
        return f"'{where}' is missing; give it a value"
    return f"'{where}' is {found['input']!r}: {found['msg']}"


def _keys_at(path: Sequence[str]) -> list[str]:
    """The keys that the part of a recipe at a place knows."""
    part: type[BaseModel] = Recipe
    for name in path:
        if name in SOURCES:
            part = SOURCES[name]
        elif name in part.model_fields:
            kinds = [part.model_fields[name].annotation]
            while kinds:
                kind = kinds.pop()
                kinds += get_args(kind)
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    part = kind
                    break
    return list(part.model_fields)


BORROWED = ("language", "decoder", "embedding", "lip_weights")
"""What a checkpoint says of weights that a recipe names and that are not the run's own."""


def run_recipe(
    recipe: Recipe,
    folder: str | Path,
    *,
    resume: bool = False,
    workers: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> Fitted:
    """Trains what the recipe says into ``folder``: recipe.yaml, log.jsonl, best/, last/, states/.

    workers: processes that prepare batches; no result depends on it.
    say: is told what fraction weights of others and ``init`` filled, and how many clips of its stores
    are longer than what is read of them.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    where_it_stands(folder, resume, recipe.hash())  # before anything is drawn or written
    _refuse_unshared(recipe)
    config = recipe.settings()
    layout = layout_named(config.layout)
    places = real_places(recipe.data, layout, recipe.seed)
    texts = learnt_from(recipe, learns_glosses(recipe.of_method), places)
    more = {"glosses": learnt_from(recipe, True, places)} if needs_glosses(config) else {}
    model = recipe.of_method.begin(config, texts, recipe.seed, **more)
    begun = begin_with_each(model, [located(one) for one in recipe.begins_with])
    for line in _filled(model, begun):
        say(line)
    if resume:
        _refuse_what_changed(folder, model.described())
    if cut := _cut(recipe, model, places):
        say(f"{cut} training clips are longer than the model reads; what lies behind is not learnt")
    if shared := _learnt_too(recipe):
        say(
            f"dev is drawn from what is learnt ({shared}): its scores say how well that is remembered, and "
            "'best' is chosen by them"
        )
    word = model.word
    real: SampleSource = open_source(recipe.data.train, layout, word)
    if places is not None:
        real = Chosen(real, places)
    mixed = recipe.data.synthetic
    synthetic = open_source(mixed, layout, word) if mixed else None
    dev = open_source(recipe.data.dev, layout, word)
    mixture = Mixture(
        real, recipe.training.batch, recipe.seed, synthetic, recipe.curriculum.schedule()
    )
    staged = _staged(recipe, mixture, layout, word)
    sources = [source for source in (real, synthetic) if source is not None]
    sources += [m.real for m in staged.mixtures if m is not mixture] if staged else []
    _with_lips(model, [*sources, dev])
    firsts = [first for source in sources if (first := _first_signed(source)) is not None]
    model.simulated_only = all(first.clip.simulated for first in firsts) and all(
        one.simulated_only for one in begun
    )
    if first_process():
        with writing(folder / "recipe.yaml", overwrite=True) as temporary:
            temporary.write_text(yaml.safe_dump(recipe.resolved(), sort_keys=False))
    described = {
        "name": recipe.name,
        **model.described(),
        "simulated_only": model.simulated_only,
        "languages": sorted({first.language for first in firsts}),
        "extractors": sorted(
            {
                f"{first.clip.origin.extractor} {first.clip.origin.version}".strip()
                for first in firsts
            }
        ),
        **_begun_with(begun),
        "seed": recipe.seed,
        "recipe": recipe.resolved(),
        "recipe_hash": recipe.hash(),
        "versions": _versions(),
    }

    def keep(name: str, step: int, numbers: Mapping[str, float]) -> None:
        config = {**described, **model.described(), "step": step, "dev": dict(numbers)}
        save_checkpoint(
            folder / name,
            config,
            model,
            model.tokenizer,
            card_of(config),
            overwrite=True,
            dtype=recipe.training.save_dtype,
        )

    return fit(
        model,
        staged or mixture,
        _plan(recipe, workers),
        folder,
        validate=lambda step: _dev_scores(model, dev, recipe),
        keep=keep,
        resume=resume,
        fingerprint=recipe.hash(),
    )


def _begun_with(begun: Sequence[Begun]) -> dict[str, Any]:
    """What a checkpoint's config says under ``init``: of one checkpoint that, of several a list."""
    said = [one.to_json() for one in begun]
    return {"init": said[0] if len(said) == 1 else said} if said else {}


def _filled(model: nn.Module, begun: Sequence[Begun]) -> Iterator[str]:
    """What each of the weights that a recipe names filled, of what they are for; never 100 % in part."""
    for source, share in getattr(model, "filled", {}).items():
        yield f"{source} filled {_percent(share)} of the part of the model that it is for"
    for one in begun:
        parts = ", ".join(f"{name} {_percent(share)}" for name, share in one.parts.items())
        yield (
            f"init: {one.checkpoint} filled {_percent(one.filled)} of the model's own parameters: {parts}"
        )
        if one.otherwise:
            yield f"init: {one.checkpoint} has frames of another kind: {'; '.join(one.otherwise)}"
        if one.left_out:
            yield (
                f"init: {one.checkpoint} knows {' and '.join(one.left_out)} too, which this model does not read"
            )
    if begun and (left := begun[-1].renewed):
        yield f"init: {len(left)} tensors begin anew: {_anew(left, model.state_dict().keys())}"


def _anew(left: Sequence[str], every: Collection[str]) -> str:
    """Parts of a model that begin anew, and tensors of those that begin anew in part."""
    parts = dict.fromkeys(name.partition(".")[0] for name in left)
    of = {part: [n for n in left if n.partition(".")[0] == part] for part in parts}
    whole = [
        part
        for part in parts
        if len(of[part]) == sum(name.partition(".")[0] == part for name in every)
    ]
    told = [f"all of {', '.join(whole)}"] if whole else []
    for part in parts:
        if part not in whole:
            few = f"{', '.join(of[part][:3])}{', …' if len(of[part]) > 3 else ''}"
            told.append(f"of {part} {len(of[part])} ({few})")
    return "; ".join(told)


def _percent(share: float) -> str:
    return f"{floor(1000 * share + 1e-9) / 10} %"


def _drawn_from(recipe: Recipe) -> list[Source]:
    """Where batches come from: the usual sources not where every stage has data of its own."""
    own = [stage.data for stage in recipe.training.stages]
    usual = [recipe.data.train, recipe.data.synthetic] if not own or None in own else []
    return [source for source in (*usual, *own) if source is not None]


def _refuse_unshared(recipe: Recipe) -> None:
    """Raises UsageError where several processes would share batches of signing and of text alone.

    One whose share has no signing would not reach what the others then wait for: the statistics of a batch,
    or weights that are shared out.
    """
    alone = launched_processes() == 1
    if alone or getattr(recipe.settings(), "input", "signing") != "signing":
        return
    if any(len(signed_in(source)) > 1 for source in _drawn_from(recipe)):
        raise UsageError(
            "a source mixes signing with texts alone, and several processes cannot share its batches; "
            "give each kind a stage of its own (training.stages), or train in one process"
        )


def _cut(recipe: Recipe, model: nn.Module, places: tuple[int, ...] | None) -> int:
    """How many clips of the stores that are learnt from are longer than what `translate` reads of them."""
    if not hasattr(model, "seconds_read") or getattr(model, "reads_text", False):
        return 0
    cut = 0
    for source in dict.fromkeys(s for drawn in _drawn_from(recipe) for s in stores_of(drawn)):
        long = [
            is_cut(model, blank)
            for blank in open_store(located(source.store), source.split).blanks()
        ]
        chosen = places if source == recipe.data.train and places is not None else range(len(long))
        cut += sum(long[place] for place in set(chosen))
    return cut


def _learnt_too(recipe: Recipe) -> str:
    """What of dev is learnt from too; "" where nothing is."""
    learnt = [place for source in _drawn_from(recipe) for place in signed_places(source)]
    both = [
        f"{folder}, {split or 'all of it'}"
        for folder, split in sorted(signed_places(recipe.data.dev))
        if any(
            folder == other and (split == part or not split or not part) for other, part in learnt
        )
    ]
    return "; ".join(both)


def _refuse_what_changed(folder: Path, described: Mapping[str, Any]) -> None:
    """Raises UsageError where a run goes on with a model that is not what its checkpoint says.

    The recipe is the same, but a folder that it names may hold other weights now, and the run would
    not end as if it had never stopped.
    """
    kept = next((f for n in ("last", "best") if (f := folder / n / CONFIG).is_file()), None)
    if kept is None:
        return
    was, now = json.loads(kept.read_text()), json.loads(json.dumps(described))
    for key in BORROWED:
        if was.get(key) != now.get(key):
            raise UsageError(
                f"the run in {folder} cannot go on: '{key}' of its model was {str(was.get(key))[:200]} and "
                f"is {str(now.get(key))[:200]} now; put back what the recipe names, or train into another "
                "folder"
            )


def _first_signed(source: SampleSource) -> Sample | None:
    """The first sample that is no text alone, of the first LOOKED_AT; None where all of them are."""
    looked_at = (source[at] for at in range(min(len(source), LOOKED_AT)))
    return next((sample for sample in looked_at if len(sample.clip)), None)


def _with_lips(model: nn.Module, sources: Sequence[SampleSource]) -> None:
    """Raises UsageError where a source does not give a model that reads lips what it reads."""
    if not reads_lips(model):
        return
    alone = needs_lips(model)
    for source in sources:
        given = [source[i].lips is not None for i in range(min(len(source), LOOKED_AT))]
        if not (all(given) if alone else any(given)):
            raise UsageError(
                f"the model reads {'nothing but ' if alone else ''}lips, and {sum(given) or 'none'} of "
                f"the first {len(given)} samples of a source that it learns from or is validated by "
                f"have any, expected {'all' if alone else 'at least one'}; say 'lips: true' at the "
                "source, and prepare the corpus with --lips"
            )


def learnt_from(
    recipe: Recipe, glosses: bool = False, places: tuple[int, ...] | None = None
) -> list[str]:
    """The texts, or glosses, of everything that a recipe trains on; of its real source those at ``places``."""
    layout = layout_named(recipe.settings().layout)
    listed = glosses_of if glosses else texts_of
    texts = listed(recipe.data.train, layout)
    if places is not None:
        texts = [texts[place] for place in dict.fromkeys(p % len(texts) for p in places)]
    others = [recipe.data.synthetic, *(stage.data for stage in recipe.training.stages)]
    for other in others:
        texts += listed(other, layout) if other else []
    return texts


def real_places(data: Data, layout: Layout, seed: int) -> tuple[int, ...] | None:
    """Which samples of its real source a recipe trains on, in order; None for all of them.

    Raises UsageError where ``train_without`` leaves none.
    """
    if data.train_limit is None and data.train_each is None and not data.train_without:
        return None
    source = open_source(data.train, layout, None)
    limit = len(source) if data.train_limit is None else data.train_limit
    places: Sequence[int] = range(len(source))
    if data.train_each is not None:
        texts = texts_of(data.train, layout)
        if len(texts) != len(source):  # a stream too long to be listed
            texts = [source[index].text for index in range(len(source))]
        places = _of_each(texts, data.train_each, seed)
    if not data.train_without:
        return tuple(places[:limit])
    avoided = {gloss.casefold() for gloss in data.train_without}
    kept: list[int] = []
    for index in places:
        if len(kept) == limit:
            break
        if not any(span.gloss.casefold() in avoided for span in source[index].glosses):
            kept.append(index)
    if not kept:
        raise UsageError(
            f"data.train_without: each of the {len(places)} real samples holds one of the "
            f"{len(avoided)} glosses; name fewer"
        )
    return tuple(kept)


def _of_each(texts: Sequence[str], count: int, seed: int) -> list[int]:
    """The places of at most ``count`` samples of each text, in order."""
    order = np.random.default_rng(seed).permutation(len(texts))
    met: Counter[str] = Counter()
    kept = []
    for place in order.tolist():
        met[texts[place]] += 1
        if met[texts[place]] <= count:
            kept.append(place)
    return sorted(kept)


def _staged(
    recipe: Recipe, mixture: Mixture, layout: Layout, word: PrepareWord | None
) -> Staged | None:
    """What each stage is trained on, where a stage has data of its own; else None."""
    stages = recipe.training.stages
    if not any(stage.data for stage in stages):
        return None
    mixtures = tuple(
        Mixture(open_source(stage.data, layout, word), recipe.training.batch, recipe.seed)
        if stage.data
        else mixture
        for stage in stages
    )
    return Staged(mixtures, tuple(stage.steps for stage in stages))


def _plan(recipe: Recipe, workers: int) -> Plan:
    wanted = recipe.training
    lengths = {"all": wanted.steps}
    if wanted.restart:
        turn = recipe.curriculum.steps
        lengths = {"pretrain": turn, "finetune": wanted.steps - turn}
    stages = [
        Stage(name, steps, wanted.lr, wanted.schedule, min(wanted.warmup, steps))
        for name, steps in lengths.items()
    ]
    if wanted.stages:
        stages = [
            Stage(
                stage.name,
                stage.steps,
                stage.lr or wanted.lr,
                stage.schedule or wanted.schedule,
                min(wanted.warmup if stage.warmup is None else stage.warmup, stage.steps),
                stage.train,
            )
            for stage in wanted.stages
        ]
    return Plan(
        tuple(stages),
        seed=recipe.seed,
        accumulate=wanted.accumulate,
        precision=wanted.precision,
        clip=wanted.clip,
        weight_decay=wanted.weight_decay,
        average=wanted.average,
        log_every=wanted.log_every,
        save_every=wanted.save_every,
        validate_every=wanted.validate_every,
        metric=recipe.metric,
        better=better(recipe.of_method, recipe.metric),
        workers=workers,
        device=wanted.device,
    )


def _dev_scores(model: nn.Module, dev: SampleSource, recipe: Recipe) -> dict[str, float]:
    return recipe.of_method.score_dev(model, dev, recipe.data.dev_limit, recipe.training.beam)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("torch", "transformers", "tokenizers", "numpy")
    return {"signloom": signloom.__version__, **{name: version(name) for name in names}}
