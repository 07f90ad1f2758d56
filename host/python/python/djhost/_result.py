"""What a job has made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional

from djhost import _djhost
from djhost._need import need

if TYPE_CHECKING:
    import datasets
    import pandas
    import polars
    import pyarrow

    from djhost._scratch import Scratch

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
    ) -> None:
        files = _djhost.result_files(run_dir)
        if files is None:
            raise FileNotFoundError(f"no job has completed in `{run_dir}`")
        self.run_dir = run_dir
        self._files = files
        self._restore = restore
        self._scratch = scratch
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
