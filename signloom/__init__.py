"""signloom: from signing to written language.

>>> from signloom import PoseClip, Cue, load
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Cue", "PoseClip", "load"]

if TYPE_CHECKING:
    from signloom.data.clip import PoseClip
    from signloom.data.cue import Cue
    from signloom.methods.model import load


def __getattr__(name: str) -> Any:
    """Each name is imported when it is first asked for, so that ``import signloom`` costs nothing."""
    import importlib

    homes = {
        "PoseClip": "signloom.data.clip",
        "Cue": "signloom.data.cue",
        "load": "signloom.methods.model",
    }
    if name not in homes:
        raise AttributeError(f"module 'signloom' has no attribute '{name}'")
    return getattr(importlib.import_module(homes[name]), name)
