"""The rows that a job did not keep."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

from djhost import _host

__all__ = ["dropped"]


def dropped(
    run_dir: Path, op: Union[int, str, None], given: Optional[Path]
) -> "list[dict[str, Any]]":
    """Return the rows that `op`, or any, took out. `given`: the file of rows from memory."""
    with tempfile.TemporaryDirectory(prefix="djhost-") as directory:
        file = Path(directory, "dropped.jsonl")
        which = [] if op is None else [f"--op={op}"]
        _host.ask("dropped", str(run_dir), f"--export={file}", *which)
        with open(file, "rb") as lines:
            rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    if given is not None:
        _number(rows, given)
    return rows


def _number(rows: "list[dict[str, Any]]", given: Path) -> None:
    """Add to each row its ``index`` in what was given. Rows are in the order of the file."""
    if given.suffix != ".jsonl":
        # Files of columns count rows already.
        for row in rows:
            row["index"] = row["offset"]
        return
    at, offset = 0, 0
    with open(given, "rb") as lines:
        for index, line in enumerate(lines):
            # Several rows may have become of one.
            while at < len(rows) and rows[at]["offset"] == offset:
                rows[at]["index"] = index
                at += 1
            if at == len(rows):
                return
            offset += len(line)
