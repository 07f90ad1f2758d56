"""A deduplicator: rows with equal fingerprints are duplicates, and the first one stays."""

from typing import Annotated

from djhost_sdk import Param, deduplicator


@deduplicator
def python_prefix_deduplicator(text: str, *, length: Annotated[int, Param("Characters to compare.", min=1)] = 64) -> str:
    """Drops texts that begin like an earlier one."""
    return text[:length]
