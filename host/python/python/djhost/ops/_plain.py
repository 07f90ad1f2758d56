"""Values of Python as those of a recipe."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any


def plain(value: Any, place: str) -> Any:
    """The value with dicts, lists and scalars alone, as JSON has them.

    Tuples become lists, paths text, and scalars of NumPy those of Python. Raises ``TypeError`` or ``ValueError``, which name
    ``place``, for anything that a recipe cannot hold.

    >>> plain({"langs": ("en", "de")}, "params")
    {'langs': ['en', 'de']}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{place} is {value}: a number must be finite; leave the parameter out where there is no limit")
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{place} has the key {key!r}: keys must be text")
        return {str(key): plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item(), place)
    raise TypeError(
        f"{place} is of type {type(value).__name__}: a recipe has text, numbers, true and false, None, lists and mappings"
    )
