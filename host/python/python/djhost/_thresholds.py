"""What other thresholds would keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

from djhost import _djhost
from djhost._recipe import options_of
from djhost.errors import QuestionError, RecipeError, problem
from djhost.ops._schema import is_limit

__all__ = ["Thresholds", "WhatIf", "what_if"]

Thresholds = Mapping[str, Union[float, None, Mapping[str, Union[float, None]]]]
"""Parameters of filters: ``{"text_length_filter.min_len": 20}``. None is no bound."""


class WhatIf(NamedTuple):
    """How many rows would stay with other thresholds: :meth:`djhost.Analysis.what_if`."""

    rows: int
    """Rows of the dataset; of an analysis, those that it looked at."""
    stay_now: int
    """How many of them stay with the thresholds of the recipe."""
    stay: int
    """How many would stay with the others."""
    ops: "list[dict[str, Any]]"
    """Each filter with other thresholds for itself: ``op``, ``name``, ``rows``, ``stay_now``, ``stay``."""
    estimate: "list[str]"
    """Why :attr:`stay` is an estimate; empty if it is exact."""

    def __int__(self) -> int:
        return self.stay

    def __str__(self) -> str:
        text = f"{self.stay:,} of {self.rows:,} rows would stay, now {self.stay_now:,}"
        return "\n".join([text, *(f"estimate: {why}" for why in self.estimate)])

    def _repr_html_(self) -> str:
        from djhost._html_questions import what_if_html

        return what_if_html(self)


def what_if(run_dir: Path, thresholds: Thresholds) -> WhatIf:
    """Count what a job, or an analysis, would keep with other thresholds."""
    wanted = [(key, _number(key, value)) for key, value in options_of(thresholds)]
    try:
        found = json.loads(_djhost.job_what_if(run_dir, wanted))
    except RecipeError as error:
        raise QuestionError(error.problems) from None
    return WhatIf(**found)


def _number(key: str, value: Any) -> "float | None":
    if value is None or is_limit(value):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        message = f"`{key}` is {value!r}, which is no number"
        raise QuestionError([problem(message, path="what_if", hint="None is no bound")])
    return float(value)
