"""One row's way through a recipe, and the page of a job."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from djhost import _host

if TYPE_CHECKING:
    from djhost._scratch import Scratch

__all__ = ["Explained", "Report", "place_of", "write_report"]


class Explained:
    """What happened to a row: :meth:`djhost.Result.explain`.

    ``print`` it to see what ``djhost explain`` shows.
    """

    document: dict[str, Any]
    """As ``djhost explain --json`` prints it: ``row``, ``text``, ``steps``, ``end``, ``notes``."""

    def __init__(
        self,
        run_dir: Path,
        place: "list[str]",
        *,
        given: Optional[Path] = None,
        owner: object = None,
    ) -> None:
        self._question = ["explain", str(run_dir), "--color=never", *place]
        # A temporary run directory must stay for as long as it can be asked.
        self._owner = owner
        self._given = given
        self._text: Optional[str] = None
        self.document = json.loads(_host.ask("explain", "--json", *self._question[1:]))

    @property
    def place(self) -> str:
        """Where the row is in the input: ``FILE:LINE``, or ``row 3`` of what was given in memory."""
        row = self.document["row"]
        if self._given is not None and row["file"] == str(self._given):
            return f"row {row['line'] - 1}"
        return f"{row['file']}:{row['line']}"

    @property
    def end(self) -> str:
        """Where the row is now: ``written`` (in the result), ``gone``, ``quarantined`` or ``unknown``."""
        return str(self.document["end"])

    @property
    def steps(self) -> "list[dict[str, Any]]":
        """What each op did with the row, in the order in which they ran."""
        return list(self.document["steps"])

    def __str__(self) -> str:
        if self._text is None:
            self._text = _host.ask(*self._question).rstrip("\n")
        return self._text

    def __repr__(self) -> str:
        return f"<djhost.Explained: {self.place}, {self.end}>"

    def _repr_html_(self) -> str:
        from djhost._html_questions import explained_html

        return explained_html(self)


def place_of(
    row: "str | int | None", where: Optional[Mapping[str, Any]], given: Optional[Path]
) -> "list[str]":
    """Return how the command is told which row is meant. `given`: the file of rows from memory."""
    if (row is None) == (where is None):
        raise TypeError("explain takes a row, or `where`, and not both")
    if where is not None:
        if len(where) != 1:
            raise ValueError(f"`where` has {len(where)} fields: give one, such as {{'id': 7}}")
        ((field, value),) = where.items()
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return [f"--where={field}={text}"]
    if isinstance(row, int) and given is not None:
        if row < 0:
            raise IndexError(f"row {row}: rows are counted from 0")
        return ["--", f"{given}:{row + 1}"]
    return ["--", str(row)]


class Report:
    """A page about a job: :meth:`djhost.Result.report`. A notebook shows it."""

    path: Path
    """The HTML file, which needs no network and no other file."""

    def __init__(self, path: Path, scratch: "Optional[Scratch]" = None) -> None:
        self.path = path
        self._scratch = scratch

    @property
    def html(self) -> str:
        """The page as text."""
        return self.path.read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return f"<djhost.Report: {self.path}>"

    def _repr_html_(self) -> str:
        # Its own script may run, as far as its content security policy says; nothing else is allowed:
        # it has no origin, so it can reach neither the notebook nor its server.
        return (
            f'<iframe srcdoc="{html.escape(self.html, quote=True)}" sandbox="allow-scripts" '
            'title="report of a job" style="width:100%;height:40em;border:0"></iframe>'
        )


def write_report(run_dir: Path, path: Any, *more: str) -> Report:
    """Write the page of a job to `path`; without one to a temporary file."""
    from djhost._scratch import Scratch

    scratch = Scratch() if path is None else None
    file = Path(scratch.path, "report.html") if scratch else Path(path)
    _host.ask("report", str(run_dir), f"--output={file}", *more)
    return Report(file, scratch)
