"""One line of progress: in a notebook an output that is updated, on a terminal a line that is written over, elsewhere nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO, Union

from djhost import _html

#: What the option `progress` may be. `auto` chooses by what there is to show it on.
Progress = Union[bool, str]
CHOICES = ("auto", "notebook", "terminal", "quiet")

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def display_for(progress: Progress) -> Display:
    """The display for the option ``progress``: True and False are ``auto`` and ``quiet``. Raises ``ValueError`` for any other value."""
    choice = {True: "auto", False: "quiet"}.get(progress, progress) if isinstance(progress, bool) else progress
    if choice == "auto":
        choice = "notebook" if in_notebook() else "terminal" if _is_terminal(sys.stderr) else "quiet"
    if choice == "notebook":
        return NotebookDisplay()
    if choice == "terminal":
        return TerminalDisplay(sys.stderr)
    if choice == "quiet":
        return Display()
    raise ValueError(f"progress is {progress!r}; valid are True, False, {', '.join(map(repr, CHOICES))}")


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def _is_terminal(stream: TextIO) -> bool:
    return stream is not None and hasattr(stream, "isatty") and stream.isatty()


class Display:
    """Shows nothing; the others show a line. ``progress`` is what :meth:`djhost.Job.progress` returns."""

    def update(self, progress: Mapping[str, Any]) -> None:
        """Shows how far the job is."""

    def close(self, progress: Mapping[str, Any]) -> None:
        """Shows how it ended. The line stays."""


class TerminalDisplay(Display):
    """A line that is written over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def update(self, progress: Mapping[str, Any]) -> None:
        self._write(text_line(progress, self._width()), end="")

    def close(self, progress: Mapping[str, Any]) -> None:
        self._write(text_line(progress, self._width()), end="\n")

    def _width(self) -> int:
        return shutil.get_terminal_size().columns - 1

    def _write(self, line: str, end: str) -> None:
        self._stream.write(f"\r\x1b[K{line}{end}")
        self._stream.flush()


class NotebookDisplay(Display):
    """An output of the cell that is replaced. It needs no widgets, and its last state is stored with the notebook."""

    def __init__(self) -> None:
        self._handle: Any = None

    def update(self, progress: Mapping[str, Any]) -> None:
        from IPython.display import display

        bundle = {"text/plain": text_line(progress, 100), "text/html": html_line(progress)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def close(self, progress: Mapping[str, Any]) -> None:
        self.update(progress)


def text_line(progress: Mapping[str, Any], width: int) -> str:
    """A bar and what :func:`said` says, in at most ``width`` columns."""
    fraction = min(max(float(progress["fraction"]), 0.0), 1.0)
    eighths = int(fraction * 80)
    cells = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths < 80 else "")
    line = f"{100 * fraction:3.0f}%|{cells:10}| {said(progress)}"
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"


def html_line(progress: Mapping[str, Any]) -> str:
    """The same for a notebook."""
    share = float(progress["fraction"])
    cells = f'<td style="border:0">{_html.bar(share)}</td><td class="n" style="border:0">{100 * share:.0f} %</td>'
    line = f'<td class="t" style="border:0">{_html.escape(said(progress))}</td>'
    return _html.page(f"<table><tr>{cells}{line}</tr></table>")


def said(progress: Mapping[str, Any]) -> str:
    """State, op, rows, speed and time left, as far as they are known: ``op 3 words_num_filter · 1,200 of 4,000 rows · …``."""
    rows, status = progress["rows"], progress["status"]
    parts = [] if status == "running" else [status]
    op = _current_op(progress)
    if op is not None:
        parts.append(f"op {op['operation_idx']} {op['operation_name']}")
    total = f" of {rows['total']:,}" if rows["total"] is not None and rows["total"] != rows["read"] else ""
    parts.append(f"{rows['read']:,}{total} rows")
    if status in ("running", "stopping"):
        if progress["rates"]["rows_per_second"] > 0:
            parts.append(f"{progress['rates']['rows_per_second']:,.0f} rows/s")
        if progress["eta_seconds"] is not None:
            parts.append(f"{clock(progress['eta_seconds'])} to go")
    else:
        parts.append(f"{rows['output']:,} out")
        if rows["quarantined"]:
            parts.append(f"{rows['quarantined']:,} in quarantine")
        parts.append(f"{progress['duration']:.1f} s")
    return " · ".join(parts)


def _current_op(progress: Mapping[str, Any]) -> Any:
    at_work = [part for part in progress["partition"] if part["state"] == "processing" and part["current_op"]]
    # The partition that is furthest behind says what the job waits for.
    return min(at_work, key=lambda part: part["fraction"])["current_op"] if at_work else None


def clock(seconds: float) -> str:
    """Seconds as ``0:07``, ``12:30``, ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
