"""What a job has made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from djhost import _djhost
from djhost._need import need

if TYPE_CHECKING:
    import datasets
    import pandas
    import polars
    import pyarrow
    import ray.data

    from djhost._explained import Explained, Report
    from djhost._scratch import Scratch
    from djhost._thresholds import Thresholds, WhatIf

__all__ = ["Result"]


class Result:
    """The result of a job that is complete.

    The rows stay in files and are read when they are asked for, so a result may be larger than
    memory: iterate over it, or give it to anything that takes Arrow streams.

    >>> import djhost
    >>> rows = [{"text": "a text of some length", "id": 1}, {"text": "short", "id": 2}]
    >>> result = djhost.run(rows, [{"text_length_filter": {"min_len": 10}}])
    >>> result.to_list()
    [{'text': 'a text of some length', 'id': 1}]
    >>> len(result), result.ledger["read"], result.ledger["dropped"]
    (1, 2, {0: 1})
    """

    run_dir: Path
    """The run directory of the job."""

    def __init__(
        self,
        run_dir: Path,
        *,
        restore: Optional[Callable[["Result"], Any]] = None,
        scratch: Optional["Scratch"] = None,
        given: Optional[Path] = None,
    ) -> None:
        files = _djhost.result_files(run_dir)
        if files is None:
            raise FileNotFoundError(f"no job has completed in `{run_dir}`")
        self.run_dir = run_dir
        self._files = files
        self._restore = restore
        self._scratch = scratch
        # The file of the rows that were given in memory.
        self._given = given
        with open(run_dir / "job_summary.json", encoding="utf-8") as file:
            self._summary: dict[str, Any] = json.load(file)

    @property
    def path(self) -> Path:
        """The file of the result; with ``export_shard_size`` the first of several."""
        return self._files[0]

    @property
    def paths(self) -> list[Path]:
        """All files of the result, in order."""
        return list(self._files)

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return str(self._summary["job_id"])

    @property
    def status(self) -> str:
        """The state of the job: ``completed``."""
        return str(self._summary["status"])

    @property
    def summary(self) -> dict[str, Any]:
        """All that ``job_summary.json`` has: totals, attempts, versions, digests of components."""
        return self._summary

    @property
    def ops(self) -> list[dict[str, Any]]:
        """One dict for each op, in the order of the recipe: name, rows in and out, CPU seconds."""
        return list(self._summary["ops"])

    @property
    def ledger(self) -> dict[str, Any]:
        """Where every row went.

        ``read``, ``quarantined`` and ``output`` are numbers of rows; ``dropped``, ``merged`` and
        ``created`` map the number of an op to one.
        """
        ledger = dict(self._summary["ledger"])
        for name in ("dropped", "merged", "created"):
            ledger[name] = {int(op): rows for op, rows in ledger.get(name, {}).items()}
        return ledger

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What deserves a look: ops that dropped all rows or none, thresholds that no row comes near,
        fields that no row has. Each is a dict with ``kind``, ``op``, ``name`` and the ``message``."""
        return list(self._summary.get("findings", []))

    def __len__(self) -> int:
        return int(self._summary["ledger"]["output"])

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        ledger = self.ledger
        return f"<djhost.Result: {ledger['output']:,} of {ledger['read']:,} rows, {self.path}>"

    def _repr_html_(self) -> str:
        from djhost._html import result_html

        return result_html(self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows as dicts, in memory of some rows."""
        for chunk in _djhost.Taken(self._files).chunks():
            if isinstance(chunk, bytes):
                # Not `splitlines`: a carriage return may stand between the parts of a row.
                for line in chunk.split(b"\n"):
                    if line:
                        yield json.loads(line)
            else:
                yield from chunk

    def to_list(self) -> list[dict[str, Any]]:
        """Return all rows as dicts."""
        return list(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows through the Arrow C stream interface, which needs no package."""
        return _djhost.Taken(self._files).__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> "pyarrow.Table":
        """Return the rows as a ``pyarrow.Table``. Types of JSON rows are inferred from all rows."""
        pa = need("pyarrow")
        return pa.RecordBatchReader.from_stream(self).read_all()

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows as a ``pandas.DataFrame``; that of a DataFrame has the labels of its rows."""
        need("pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows as a ``polars.DataFrame``."""
        return need("polars").DataFrame(self)

    def to_hf(self) -> "datasets.Dataset":
        """Return the rows as a ``datasets.Dataset``. That of a Dataset has its features."""
        from djhost._hugging_face import dataset_of

        return dataset_of(self)

    def to_ray(self) -> "ray.data.Dataset":
        """Return the rows as a ``ray.data.Dataset``, in blocks of Ray's object store."""
        from djhost._ray import dataset_of

        return dataset_of(self)

    def keep(self) -> None:
        """Keep the files of a temporary job until the end of the process."""
        if self._scratch:
            self._scratch.keep()

    @property
    def data(self) -> Any:
        """The rows in the type that the job was given: a DataFrame for a DataFrame, a list of dicts
        for dicts. For files, this is the path of the result."""
        return self._restore(self) if self._restore else self.path

    def quarantine(self, op: Optional[int] = None) -> list[dict[str, Any]]:
        """Return the rows that could not be processed, with the reason: of all ops, or of one.

        Each is a dict with the ``reason``, ``operation_idx`` and ``operation_name`` (absent where the
        row could not be read), the ``file`` and ``line`` of the row, and the ``row`` as JSON text.
        """
        entries: list[dict[str, Any]] = []
        directory = self.run_dir / "quarantine"
        names = sorted(os.listdir(directory)) if directory.is_dir() else []
        for name in names:
            if not (name.startswith("quarantine_") and name.endswith(".jsonl")):
                continue
            with open(directory / name, "rb") as file:
                entries.extend(json.loads(line) for line in file)
        return [entry for entry in entries if op in (None, entry.get("operation_idx"))]

    def dropped(self, op: Union[int, str, None] = None) -> list[dict[str, Any]]:
        """Return the rows of the input that are not in the result: of all ops, or of one by name or number.

        >>> import djhost
        >>> result = djhost.run([{"text": "x"}, {"text": "a text"}], [{"text_length_filter": {"min_len": 2}}])
        >>> [row] = result.dropped()
        >>> row["row"], row["index"], row["reason"]
        ({'text': 'x'}, 0, 'text_len is 1, demanded is at least 2 (off by 1)')

        Each is a dict with the ``row`` as it is in the input, ``row_id``, ``file``, ``offset``, the ``op``
        (None: the reader) and ``op_name``, its ``fate`` (``dropped``, ``merged``, ``grouped``,
        ``quarantined``), the ``reason`` in words, the ``stats`` that the op computed, and the id of the
        ``partner`` that stands for a duplicate. Of rows from memory, ``index`` is the place in what was
        given, from 0.

        Raises:
            QuestionError: There is no such op, or the job ran with ``trace="off"``.
        """
        from djhost._dropped import dropped

        return dropped(self._asked(), op, self._given)

    def explain(
        self, row: Union[int, str, None] = None, *, where: Optional[Mapping[str, Any]] = None
    ) -> "Explained":
        """Return a row's way through the recipe: what each op computed and demanded, or changed.

        >>> import djhost
        >>> result = djhost.run([{"text": "x", "id": 7}], [{"text_length_filter": {"min_len": 2}}])
        >>> result.explain(where={"id": 7}).end
        'gone'

        Args:
            row: ``"FILE:LINE"`` (for Parquet and Arrow the number of the row, from 1), or the ``row_id``
                of the trace. For data given in memory, an int is the place in it, from 0.
            where: A field and its value, such as ``{"id": 7}`` or ``{"meta.url": "…"}``: the first such
                row.

        Raises:
            QuestionError: There is no such row.
        """
        from djhost._explained import Explained, place_of

        place = place_of(row, where, self._given)
        return Explained(self._asked(), place, given=self._given, owner=self)

    def report(self, path: Union[str, "os.PathLike[str]", None] = None) -> "Report":
        """Write a page about the job: rows through the recipe, stats with thresholds to move, duplicates,
        quarantine, time and memory per op, samples of what ops did.

        `path` is the file, a new one or an earlier page; without it the page is temporary and lives as
        long as what is returned. A notebook shows the page. With ``trace="stats"`` it knows what other
        thresholds keep for all rows, else only for those that were dropped.
        """
        from djhost._explained import write_report

        return write_report(self._asked(), path)

    def compare(
        self, other: Union["Result", str], path: Union[str, "os.PathLike[str]", None] = None
    ) -> "Report":
        """Write a page that shows the job beside another one: a result, a job id or a run directory."""
        from djhost._explained import write_report

        beside = other._asked() if isinstance(other, Result) else other
        return write_report(self._asked(), path, f"--compare={beside}")

    def what_if(self, thresholds: "Thresholds") -> "WhatIf":
        """Count the rows that would stay with other thresholds, without running the recipe again.

        Needs ``trace="stats"``. It is an estimate where later ops would see other rows than they saw, and
        says so. See also :func:`djhost.analyze`, where every filter has judged every row.

        >>> import djhost
        >>> rows = [{"text": "x" * n} for n in range(1, 11)]
        >>> result = djhost.run(rows, [{"text_length_filter": {"min_len": 5}}], trace="stats")
        >>> print(result.what_if({"text_length_filter.min_len": 8}))
        3 of 10 rows would stay, now 6

        Raises:
            QuestionError: There is no such threshold, or the trace does not have all rows.
        """
        from djhost._thresholds import what_if

        return what_if(self._asked(), thresholds)

    def _asked(self) -> Path:
        """The run directory, for questions about rows of the job."""
        return self.run_dir.absolute()
