"""What every entry of a recipe may have beside the parameters of its operator. For type checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, Union


class Limits(TypedDict, total=False):
    """Bounds of one operator; what exceeds them costs the rows that did it."""

    memory_mb: int
    timeout_s: float
    row_timeout_s: float
    output_ratio: float
    row_output_kb: int
    job_output_mb: int


class Grants(TypedDict, total=False):
    """What an operator may see beside its rows."""

    read_dirs: Sequence[str]
    env: Union[Mapping[str, str], Sequence[str]]
    media: bool
    seed: int


class Common(TypedDict, total=False):
    """Settings that every operator takes."""

    text_key: str
    image_key: str
    image_bytes_key: str
    audio_key: str
    video_key: str
    on_error: Literal["quarantine", "drop", "fail"]
    limits: Limits
    grants: Grants


class CommonOfFilters(Common, total=False):
    """Settings that every filter takes."""

    min_closed_interval: bool
    max_closed_interval: bool
    reversed_range: bool
