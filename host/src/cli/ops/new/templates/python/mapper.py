"""The operator `@NAME@`."""

from typing import Annotated

from djhost_sdk import Param, mapper


@mapper
def @NAME@(text: str, *, max_chars: Annotated[int, Param("How many characters stay.", min=0)] = 8) -> str | None:
    """Cuts texts after a number of characters."""
    # None: the row stays as it is.
    return text[:max_chars] if len(text) > max_chars else None
