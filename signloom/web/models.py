"""The models that a server holds: loaded once, found by name and by what they can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signloom.errors import UsageError, nearest
from signloom.inference.stream import Task, live_tasks
from signloom.inference.translate import reads_lips, writes_glosses
from signloom.methods.load import BUNDLED, load
from signloom.methods.model import tasks_of
from signloom.training.checkpoint import CARD, read_checkpoint
from signloom.web.batches import Batches

USUAL = ("bundled", "bundled-recogniser")
"""What is served where no model is named."""


@dataclass(frozen=True, eq=False)
class Held:
    """A loaded model: what it is called, what it can do, its card (Markdown), its queue of clips."""

    name: str
    model: Any
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    card: str
    batches: Batches

    @property
    def live(self) -> tuple[Task, ...]:
        """What it can be asked while the signing goes on."""
        return live_tasks(self.model)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "tasks": list(self.tasks),
            "live": list(self.live),
            "simulated_only": bool(self.model.simulated_only),
            "layout": self.model.layout.name,
            "languages": list(self.languages),
            "writes_glosses": writes_glosses(self.model),
            "reads_lips": reads_lips(self.model),
        }


class Models:
    """What is served, in the order given: the first that can do a task is its usual model."""

    def __init__(self, held: Sequence[Held]):
        self.held = tuple(held)

    @classmethod
    def loaded(cls, names: Sequence[str] = USUAL) -> Models:
        """The models of checkpoint folders or hub ids. Raises MediaError, and UsageError where two
        have one name or one can do nothing that is served."""
        held: dict[str, Held] = {}
        for name in names:
            model = load(name)
            tasks = tasks_of(model)
            if not tasks:
                raise UsageError(
                    f"model '{name}' neither translates, recognises nor aligns; leave it out"
                )
            if model.name in held:
                raise UsageError(
                    f"two models are called '{model.name}'; give one of them, or another name in its "
                    "config.json"
                )
            checkpoint = read_checkpoint(BUNDLED.get(name, name))
            card = checkpoint.folder / CARD
            held[model.name] = Held(
                model.name,
                model,
                tasks,
                tuple(map(str, checkpoint.config.get("languages", ()))),
                card.read_text(encoding="utf-8") if card.is_file() else "",
                Batches(model),
            )
        return cls(tuple(held.values()))

    def named(self, name: str) -> Held:
        """Raises UsageError where there is none of the name."""
        for held in self.held:
            if held.name == name:
                return held
        known = [held.name for held in self.held]
        raise UsageError(
            f"there is no model '{name}' here{nearest(name, known)}; expected one of {', '.join(known)}"
        )

    def for_task(self, task: str, name: str | None = None) -> Held:
        """The model asked for, or the usual one. Raises UsageError where it cannot do the task."""
        if name is not None:
            held = self.named(name)
            if task not in held.tasks:
                raise UsageError(
                    f"model '{name}' cannot {task}, only {', '.join(held.tasks)}; choose another"
                )
            return held
        for held in self.held:
            if task in held.tasks:
                return held
        raise UsageError(f"no model here can {task}; start the server with one that can (--model)")

    def for_live(self, task: Task, name: str | None = None) -> Held:
        """The model asked for, or the first that can do the task live. Raises UsageError where none can."""
        if name is not None:
            return self.named(name)  # whether it can is asked when the stream is made
        for held in self.held:
            if task in held.live:
                return held
        raise UsageError(
            f"no model here can do '{task}' live; start the server with one that can (--model), for "
            "glosses a ctc trained in chunks"
        )

    def spotter_of_simulated(self) -> Held | None:
        """What looks at simulated signing unasked when it is aligned: a simulated-only model."""
        for held in self.held:
            if "align" in held.tasks and held.model.simulated_only:
                return held
        return None

    def close(self) -> None:
        for held in self.held:
            held.batches.close()
