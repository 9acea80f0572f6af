"""A config asks for a model; before weights are compared with it, it has been built.

A changed letter in a config, or an ill-meant one, may ask for a model of any size. While a model is built
for a file of weights, what is allocated is counted, and more than such weights can need is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from torch.overrides import TorchFunctionMode

from signloom.errors import MediaError

TIMES = 4
"""A model being built may hold this many times its weights: drawn, copied, tied, tables beside them."""
SPARE = 1 << 24
"""Numbers beside that: masks and tables of positions that no file keeps."""
TENSORS = 1_000
"""Tensors beside as many times those of the file."""
_OF_A_SIZE = {"empty", "zeros", "ones", "full", "randn", "rand", "new_empty", "new_zeros"}


class Bounded(TorchFunctionMode):
    """Within it no more is allocated than a model of ``parameters`` numbers in ``tensors`` tensors needs.

    Raises MediaError at the tensor that would be too much, before it is there.
    """

    def __init__(self, parameters: int, tensors: int, source: str) -> None:
        super().__init__()
        self.numbers, self.tensors = TIMES * parameters + SPARE, TIMES * tensors + TENSORS
        self.parameters, self.source = parameters, source

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        asked = _numbers(getattr(func, "__name__", ""), args, kwargs or {})
        if asked:
            self.numbers -= asked
            self.tensors -= 1
            if self.numbers < 0 or self.tensors < 0:
                raise MediaError(
                    f"the config of {self.source} asks for a model far larger than its weights of "
                    f"{self.parameters:,} numbers; copy the whole folder again"
                )
        return func(*args, **(kwargs or {}))


def _numbers(name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    """How many numbers a call allocates; 0 where it makes no new tensor of a size."""
    if name == "arange":
        return int(max((abs(end) for end in args if isinstance(end, int | float)), default=0))
    if name not in _OF_A_SIZE:
        return 0
    size = [named["size"]] if "size" in named else args[1:] if name.startswith("new_") else args
    if name == "full":
        size = size[:1]
    first = size[0] if size else ()
    return (
        prod(first) if isinstance(first, Sequence) else prod(n for n in size if isinstance(n, int))
    )
