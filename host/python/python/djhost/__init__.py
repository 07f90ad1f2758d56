"""Data-Juicer style recipes over datasets, with sandboxed WebAssembly operators."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from djhost._djhost import __version__

if TYPE_CHECKING:
    from djhost import ops
    from djhost._build import build
    from djhost._chain import read
    from djhost._recipe import Recipe

__all__ = ["Recipe", "__version__", "build", "ops", "read"]

#: Loaded when they are first used, so that the import is quick.
_LATER = {"Recipe": "djhost._recipe", "build": "djhost._build", "read": "djhost._chain", "ops": ""}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'djhost' has no attribute {name!r}")
    if not _LATER[name]:
        return importlib.import_module(f"djhost.{name}")
    value = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
