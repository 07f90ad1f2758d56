"""A filter: a stat per row, kept by a range."""

import string
from typing import Annotated

from djhost_sdk import Param, filter

ALNUM = (string.ascii_letters + string.digits).encode()


@filter(stat="python_alnum_ratio", range=("min_ratio", "max_ratio"))
def python_alnum_filter(
    text: bytes,
    *,
    min_ratio: Annotated[float, Param("The least share.", min=0, max=1)] = 0.25,
    max_ratio: Annotated[float, Param("The greatest share.", min=0, max=1)] = 1.0,
) -> float:
    """Keeps texts whose share of ASCII letters and digits lies in a range."""
    return (len(text) - len(text.translate(None, ALNUM))) / len(text) if text else 0.0
