"""What can go wrong, sorted by who must act."""

from __future__ import annotations

from typing import Any


class DjhostError(Exception):
    """Base class of all errors of djhost."""


class RecipeError(DjhostError):
    """Mistakes in a recipe, an option, a dataset or a plugin; nothing was started."""

    def __init__(self, message: str, problems: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


class JobNotFound(DjhostError, FileNotFoundError):
    """There is no such job, or several match."""


class ParameterError(RecipeError, TypeError):
    """A parameter of an operator that does not exist, or has a value that is not valid."""


class PluginError(DjhostError):
    """A component that cannot be built or used."""
