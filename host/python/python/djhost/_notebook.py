"""Progress in a notebook: an output of the cell that is replaced. It needs no widgets, and its last state is stored in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djhost import _html
from djhost._progress import line_of

if TYPE_CHECKING:
    from djhost._job import Job

__all__ = ["NotebookLine"]

#: Columns of the line as text, for those who do not show HTML.
_COLUMNS = 120


class NotebookLine:
    """A bar with op, rows, speed and time left. At the end it says how the job has ended."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._handle: Any = None

    def update(self, live: dict[str, Any]) -> None:
        """Shows what `Job.live` returned."""
        self._show({"text/plain": line_of(live, _COLUMNS), "text/html": _html.page(_html.live_line(live))})

    def close(self) -> None:
        """Shows how the job has ended, if its progress was shown. A job that was stopped says how to go on."""
        status = self._job.status
        if status == "stopped":
            note = self._job.how_to_go_on()
            title = f"job {self._job.job_id} is stopped; what is complete is committed"
            plain = f"{title}\nto go on: {note}"
            self._show({"text/plain": plain, "text/html": _html.page(_html.title(title), _html.go_on(note))})
        elif self._handle is not None and status != "running":
            progress = self._job.progress()
            rows = progress["rows"]
            said = f"{status}: {rows['read']:,} rows read, {rows['output']:,} left, {progress['duration']:.1f} s"
            share = 1.0 if status == "completed" else 0.0
            self._show({"text/plain": said, "text/html": _html.page(_html.progress_line(share, said))})

    def _show(self, bundle: dict[str, str]) -> None:
        import IPython.display

        show: Any = IPython.display.display
        if self._handle is None:
            self._handle = show(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
