"""A method's Config from plain values, the same way for every method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from signloom.errors import UsageError, nearest

T = TypeVar("T")


def settings_from(
    config: Callable[..., T],
    method: str,
    values: Mapping[str, Any],
    fitting: Callable[[str, Any, Any], Any],
) -> T:
    """The config that plain values (JSON, YAML) say.

    fitting: (name, value, default) → the value as its field has it, or UsageError.
    Raises UsageError naming an unknown field and the nearest known one, or what does not fit.
    """
    defaults = {field.name: field.default for field in fields(config)}  # type: ignore[arg-type]
    for name in values:
        if name not in defaults:
            raise UsageError(f"{method} has no setting '{name}'{nearest(name, list(defaults))}")
    return config(**{n: fitting(n, value, defaults[n]) for n, value in values.items()})
