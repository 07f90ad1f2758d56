"""`djhost.analyze`: the stats of a dataset, to choose thresholds by."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from djhost import _host
from djhost._api import merged, start_job
from djhost._data import splits_of
from djhost._progress import Progress
from djhost._recipe import RecipeLike, listed, recipe_of
from djhost._scratch import Scratch
from djhost._thresholds import Thresholds, WhatIf
from djhost.errors import DataError, QuestionError, problem

if TYPE_CHECKING:
    from djhost._explained import Explained, Report
    from djhost._recipes import Recipe
    from djhost._result import Result

__all__ = ["Analysis", "analyze"]


def analyze(
    data: Any,
    recipe: RecipeLike = None,
    *,
    by: Optional[str] = None,
    keep: float = 95,
    sample: float = 1.0,
    what_if: Optional[Thresholds] = None,
    progress: Progress = "auto",
    **options: Any,
) -> "Analysis":
    """Compute the stats of a dataset: which thresholds would keep which rows.

    >>> import djhost
    >>> rows = [{"text": "word " * n} for n in range(1, 101)]
    >>> analysis = djhost.analyze(rows, [{"text_length_filter": {"min_len": 100}}], keep=90)
    >>> analysis.suggestions[0]["params"], analysis.suggestions[0]["rows"]
    ({'min_len': 50}, 91)
    >>> analysis.what_if({"text_length_filter.min_len": 50}).stay
    91
    >>> analysis.recipe()
    Recipe([text_length_filter(min_len=50)])

    Every filter judges every row and drops none, mappers run as in the recipe, and ops that compare rows
    are left out.

    Args:
        data: As for :func:`djhost.run`, but for a DatasetDict: analyze one split.
        recipe: As for :func:`djhost.run`. None: every filter whose stat needs nothing but the text.
        by: A field of the rows, or a stat that is a text such as ``lang``, to group the stats by.
        keep: Suggest bounds that keep this percentage of the rows, each stat alone.
        sample: Look at this share of the rows, chosen by a hash.
        what_if: Thresholds to judge at once: :attr:`Analysis.answer`.
        progress: As for :func:`djhost.run`.
        options: Any option, as for :func:`djhost.run`. Without ``job_id`` and ``work_dir`` the run
            directory is temporary and lives as long as the analysis; with ``job_id`` an analysis of this
            name is continued.

    Raises:
        RecipeError, PluginError, DataError, JobFailed, JobStopped: As for :func:`djhost.run`.
        QuestionError: No row has the field `by`, or no filter the threshold.
    """
    if not 0 < keep <= 100:
        raise _invalid("keep", keep, "a percentage above 0 and up to 100")
    if not 0 < sample <= 1:
        raise _invalid("sample", sample, "a share above 0 and up to 1, such as 0.1")
    if splits_of(data) is not None:
        raise DataError("a DatasetDict is several datasets\n  hint: analyze one of its splits")
    recipe = listed(recipe)
    given = merged(options)
    scratch = None
    if not given.keys() & {"job_id", "work_dir", "resume"}:
        scratch = Scratch()
        given["work_dir"] = scratch.path
    given.setdefault("work_dir", "outputs")
    if "resume" not in given:
        given.setdefault("job_id", "analysis")
    # Only the numbers of rows are wanted: the recipe's own result is another job's.
    given.update(
        analysis="recipe",
        analysis_ratio=sample,
        expect=None,
        export_path="{work_dir}/analysis.jsonl",
        export_shard_size=0,
        export_type="jsonl",
    )
    if recipe is None:
        given.update(analysis="auto", process=[])
    result = start_job(data, recipe, given, scratch).wait(progress=progress)
    return Analysis(result, recipe, by=by, keep=keep, what_if=what_if)


class Analysis:
    """The stats of a dataset: :func:`djhost.analyze`."""

    result: "Result"
    """The job that computed them: its `quarantine`, `explain`, `ops`. It has no rows."""
    document: dict[str, Any]
    """All of it, as ``djhost analyze --json`` prints it."""
    answer: Optional[WhatIf]
    """What the thresholds given as ``what_if`` would keep."""

    def __init__(
        self,
        result: "Result",
        recipe: RecipeLike,
        *,
        by: Optional[str],
        keep: float,
        what_if: Optional[Thresholds],
    ) -> None:
        self.result = result
        self._recipe = recipe
        which = [f"--keep={keep}"] + ([] if by is None else [f"--by={by}"])
        text = _host.ask("report", str(result.run_dir.absolute()), "--json", *which)
        self.document = json.loads(text)
        self.answer = None if what_if is None else self.what_if(what_if)

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return max((int(stat["count"]) for stat in self.stats), default=0)

    @property
    def kept_by_all(self) -> int:
        """How many of them all filters together would keep, with the thresholds of the recipe."""
        return int(self._found["kept_by_all"])

    @property
    def stats(self) -> "list[dict[str, Any]]":
        """Each stat: ``op`` and ``name`` of the filter, ``key``, ``count``, ``kept``, ``mean``,
        ``deviation``, ``min``, ``max``, ``percentiles`` (pairs of a share and a value), ``bounds``,
        ``histogram``."""
        return list(self.document["stats"])

    @property
    def suggestions(self) -> "list[dict[str, Any]]":
        """Bounds that keep the share of rows, each stat alone: ``op`` and ``name`` of the filter, ``key``
        of the stat, ``params``, and the ``rows`` and ``share`` that they keep."""
        found = [dict(suggestion) for suggestion in self._found["suggestions"]]
        for suggestion in found:
            suggestion["params"] = {k: _whole(v) for k, v in suggestion["params"].items()}
        return found

    @property
    def groups(self) -> "Optional[dict[str, Any]]":
        """The stats by the field `by`; None without one."""
        groups: Optional[dict[str, Any]] = self._found["groups"]
        return groups

    @property
    def _found(self) -> "dict[str, Any]":
        found: dict[str, Any] = self.document["analysis"]
        return found

    def recipe(self) -> "Recipe":
        """Return the recipe that was analyzed, with the suggested bounds. Ops that the analysis left out
        are in it."""
        from djhost._recipes import Recipe

        bounds: dict[int, dict[str, Any]] = {}
        for suggestion in self.suggestions:
            bounds.setdefault(suggestion["op"], {}).update(suggestion["params"])
        # In the order of the recipe.
        ops = sorted(self.document["ops"], key=lambda op: int(op["position"]))
        if self._recipe is None:
            return Recipe([{op["name"]: bounds.get(op["op"], {})} for op in ops])
        recipe = _as_recipe(self._recipe)
        # What was left out has shifted the places: an op is the n-th of its name in both.
        places = {(op.name, n): at for at, (op, n) in enumerate(_counted(recipe))}
        seen: Counter[str] = Counter()
        for op in ops:
            at = places.get((op["name"], seen[op["name"]]))
            seen[op["name"]] += 1
            if at is not None and op["op"] in bounds:
                entry = recipe[at]
                recipe[at] = type(entry)(
                    entry.name, {**entry.params, **bounds[op["op"]]}, plugins=entry.plugins
                )
        return recipe

    def what_if(self, thresholds: Thresholds) -> WhatIf:
        """Count the rows that all filters together would keep with other thresholds:
        ``{"text_length_filter.min_len": 20}``. None is no bound. Exact; where a filter does not judge by
        the range alone, `estimate` says so.

        Raises :class:`~djhost.errors.QuestionError` if no filter has such a threshold.
        """
        return self.result.what_if(thresholds)

    def explain(
        self, row: Union[int, str, None] = None, *, where: Optional[Mapping[str, Any]] = None
    ) -> "Explained":
        """Return what each filter computed for a row: :meth:`djhost.Result.explain`."""
        return self.result.explain(row, where=where)

    def report(self, path: Union[str, "os.PathLike[str]", None] = None) -> "Report":
        """Write a page with histograms and thresholds to move: :meth:`djhost.Result.report`."""
        return self.result.report(path)

    def __repr__(self) -> str:
        return f"<djhost.Analysis: {len(self.stats)} stats of {self.rows:,} rows, {self.kept_by_all:,} kept by all>"

    def _repr_html_(self) -> str:
        from djhost._html_questions import analysis_html

        return analysis_html(self)


def _invalid(name: str, value: Any, valid: str) -> QuestionError:
    return QuestionError([problem(f"`{value}` is not valid", path=name, hint=f"valid is {valid}")])


def _whole(bound: float) -> "int | float":
    """A bound as a parameter takes it: whole numbers as such."""
    return int(bound) if bound == int(bound) and abs(bound) < 9e15 else bound


def _as_recipe(given: RecipeLike) -> "Recipe":
    from djhost._recipes import Recipe

    if isinstance(given, Recipe):
        return given.copy()
    if isinstance(given, (str, os.PathLike)):
        return Recipe.load(Path(given))
    if isinstance(given, list):
        return Recipe(given)
    values = recipe_of(given)
    assert isinstance(values, dict)
    return Recipe(values.pop("process", None) or [], values)


def _counted(recipe: "Recipe") -> "list[tuple[Any, int]]":
    """Each op with the number of those of its name before it."""
    seen: Counter[str] = Counter()
    found = []
    for op in recipe:
        found.append((op, seen[op.name]))
        seen[op.name] += 1
    return found
