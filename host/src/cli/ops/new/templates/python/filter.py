"""The operator `@NAME@`."""

from typing import Annotated

from djhost_sdk import Param, filter


@filter(stat="num_lines", range=("min_num", None))
def @NAME@(text: str, *, min_num: Annotated[int, Param("The least number of lines.", min=0)] = 2) -> int:
    """Keeps texts that have enough lines."""
    return text.count("\n") + 1
