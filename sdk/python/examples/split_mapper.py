"""A mapper that makes 0..n rows of each row."""

from collections.abc import Iterator
from itertools import groupby

from djhost_sdk import expander


@expander
def python_split_mapper(text: str) -> Iterator[str]:
    """Makes a row of each paragraph; blank lines are between them."""
    for filled, lines in groupby(text.split("\n"), key=lambda line: line.strip(" \t\r") != ""):
        if filled:
            yield "\n".join(lines)
