"""Progress for people, while `djhost.run` waits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Protocol, Union

if TYPE_CHECKING:
    from djhost._job import Job

__all__ = ["Display", "Progress", "display"]

Progress = Union[bool, Literal["auto"], Callable[[dict[str, Any]], object]]
"""``"auto"``: a line that changes, on a terminal or in a notebook; True: everywhere; False: nothing;
or a function that gets what `Job.live` returns, some times a second."""


class Display(Protocol):
    """Shows how far a job is."""

    def update(self, live: dict[str, Any]) -> None:
        """Show what `Job.live` returned."""

    def close(self) -> None:
        """Remove what is shown."""


class _Nothing:
    def update(self, live: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class _Told:
    def __init__(self, tell: Callable[[dict[str, Any]], object]) -> None:
        self._tell = tell

    def update(self, live: dict[str, Any]) -> None:
        self._tell(live)

    def close(self) -> None:
        pass


class _Line:
    """A line on standard error that is written anew."""

    _CLEAR = "\r\x1b[2K"

    def __init__(self) -> None:
        self._shown = ""

    def update(self, live: dict[str, Any]) -> None:
        line = line_of(live, _width())
        if line != self._shown:
            self._shown = line
            _write(self._CLEAR + line)

    def close(self) -> None:
        if self._shown:
            _write(self._CLEAR)
            self._shown = ""


def display(job: "Job", progress: Progress) -> Display:
    """Return what shows the progress of a job."""
    if callable(progress):
        return _Told(progress)
    if progress is False:
        return _Nothing()
    if progress not in (True, "auto"):
        raise ValueError(f"progress is {progress!r}: give 'auto', True, False, or a function")
    if in_notebook():
        from djhost._notebook import NotebookLine

        return NotebookLine(job)
    if progress is True or _is_terminal():
        return _Line()
    return _Nothing()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def line_of(live: dict[str, Any], width: int = 80) -> str:
    """Return one line that says how far a job is.

    >>> line_of({"bytes_read": 50, "bytes": 200, "rows": 1200, "quarantined": 0, "op": 1,
    ...          "op_name": "text_length_filter", "partitions_done": 0, "partitions": 2, "seconds": 4.0}, 100)
    '[###.........]  25 %  text_length_filter  1,200 rows  300 rows/s  about 12 s to go'
    """
    share = live["bytes_read"] / live["bytes"] if live["bytes"] else 1.0
    filled = int(share * 12)
    parts = [f"[{'#' * filled}{'.' * (12 - filled)}] {share * 100:3.0f} %"]
    if live["op_name"]:
        parts.append(live["op_name"])
    parts.append(f"{live['rows']:,} rows")
    if live["seconds"] >= 1 and live["rows"]:
        parts.append(f"{live['rows'] / live['seconds']:,.0f} rows/s")
        left = live["seconds"] * (1 - share) / share if share else 0.0
        if left >= 1:
            parts.append(f"about {_about(left)} to go")
    if live["quarantined"]:
        parts.insert(3, f"{live['quarantined']:,} in quarantine")
    while len(parts) > 1 and len("  ".join(parts)) >= width:
        parts.pop()
    return "  ".join(parts)


def _about(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        return False


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _write(text: str) -> None:
    stream: Optional[Any] = sys.stderr
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        pass
