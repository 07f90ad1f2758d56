"""The operator `@NAME@`."""

from typing import Annotated

from djhost_sdk import Param, deduplicator


@deduplicator
def @NAME@(text: str, *, length: Annotated[int, Param("Characters to compare.", min=1)] = 8) -> str:
    """Drops texts that begin like an earlier one."""
    return text[:length]
