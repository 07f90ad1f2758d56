"""The operator `@NAME@`."""

from typing import Annotated

from djhost_sdk import Param, selector


def longest(keys, *, count):
    """Gets the keys of all rows and says of each whether the row stays."""
    # Stable: of equally long texts the first ones stay.
    order = sorted(range(len(keys)), key=lambda row: -keys[row])
    chosen = set(order[:count])
    return [row in chosen for row in range(len(keys))]


@selector(choose=longest)
def @NAME@(text: str, *, count: Annotated[int, Param("How many texts stay.", min=0)] = 2) -> int:
    """Keeps the longest texts."""
    return len(text)
