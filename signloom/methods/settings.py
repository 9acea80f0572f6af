"""A method's Config from plain values, the same way for every method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from signloom.errors import UsageError, nearest

T = TypeVar("T")
LARGEST = 1e30
"""Beyond what any setting is; NaN and infinity are not below it either."""


@dataclass(frozen=True)
class Rules:
    """What a method's settings may be, beyond the types of their defaults.

    choices: name → the values there are; of a list, those of its members.
    shares: names of numbers from 0 to 1. least: name → the least a number may be; whole and real
    are that of every other whole number and of every other number, None = as it comes.
    optional: name → int or float, of a number above 0 that may be null.
    lists: name → what its whole numbers are, in words. empty: names of lists that may be empty.
    """

    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    least: Mapping[str, int | float] = field(default_factory=dict)
    whole: int | None = None
    real: float | None = None
    optional: Mapping[str, type] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()

    def fitted(self, name: str, value: Any, default: Any) -> Any:
        """``value`` as the field's type has it (a list as a tuple, 1 as 1.0), in its range.

        Raises UsageError saying what was expected.
        """
        number = type(value) in (int, float) and -LARGEST < value < LARGEST
        if isinstance(default, tuple):
            return self._list(name, value, type(default[0]))
        if name in self.choices:
            names = [str(choice) for choice in self.choices[name]]
            expected = f"one of {', '.join(names)}{nearest(str(value), names)}"
            return _checked(name, value, value in self.choices[name], expected)
        if name in self.optional:
            kind = self.optional[name]
            fits = value is None or (number and type(value) in (int, kind) and value > 0)
            expected = "a whole number from 1" if kind is int else "a number above 0"
            _checked(name, value, fits, f"{expected}, or null")
            return None if value is None else kind(value)
        if name in self.shares:
            return float(_checked(name, value, number and 0 <= value <= 1, "a number from 0 to 1"))
        if type(default) is float:
            least = self.least.get(name, self.real)
            fits = number and (least is None or value >= least)
            return float(_checked(name, value, fits, f"a number{_from(least)}"))
        if type(default) is int and (least := self.least.get(name, self.whole)) is not None:
            fits = type(value) is int and value >= least
            return _checked(name, value, fits, f"a whole number{_from(least)}")
        return _checked(name, value, type(value) is type(default), type(default).__name__)

    def _list(self, name: str, value: Any, kind: type) -> tuple[Any, ...]:
        known = self.choices.get(name)
        words = self.lists.get(name, "whole numbers from 1" if kind is int else kind.__name__)
        expected = f"a list of {', '.join(known) if known else words}"
        members: list[Any] = [*value] if isinstance(value, list | tuple) else []
        if known:
            fits = all(each in known for each in members)
        else:
            fits = all(type(each) is kind for each in members)
            fits = fits and (kind is str or min(members, default=1) > 0)
        fits = fits and (bool(members) or (isinstance(value, list | tuple) and name in self.empty))
        return tuple(_checked(name, value, fits, expected))


def settings_from(
    config: Callable[..., T], method: str, values: Mapping[str, Any], rules: Rules
) -> T:
    """The config that plain values (JSON, YAML) say.

    Raises UsageError naming an unknown field and the nearest known one, or what does not fit.
    """
    defaults = {each.name: each.default for each in fields(config)}  # type: ignore[arg-type]
    for name in values:
        if name not in defaults:
            raise UsageError(f"{method} has no setting '{name}'{nearest(name, list(defaults))}")
    try:
        fitted = {name: rules.fitted(name, each, defaults[name]) for name, each in values.items()}
    except UsageError as error:
        raise UsageError(f"{method}: {error}") from None
    return config(**fitted)


def _checked(name: str, value: Any, fits: bool, expected: str) -> Any:
    if not fits:
        got = "empty" if value in ((), []) else repr(value)
        raise UsageError(f"{name} is {got}, expected {expected}")
    return value


def _from(least: int | float | None) -> str:
    return "" if least is None else f" from {least:g}"
