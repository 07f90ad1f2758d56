"""Packages that are loaded when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["need"]


def need(package: str) -> Any:
    """Import a package; if it is missing, say how to install it."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"this needs the package `{package}`: pip install 'djhost[{package}]'", name=package
        ) from None
