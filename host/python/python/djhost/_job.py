"""A job that runs, or has run, in this process."""

from __future__ import annotations

import atexit
import json
import logging
import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, overload

from djhost import _djhost
from djhost._progress import Progress, display
from djhost._result import Result
from djhost.errors import (
    ExpectationError,
    JobFailed,
    JobInterrupted,
    JobNotFound,
    JobStopped,
    RecipeError,
)

if TYPE_CHECKING:
    from typing import Literal

    from djhost._scratch import Scratch

__all__ = ["Job", "last_job"]

_log = logging.getLogger("djhost")

# How often progress is shown, and new lines of a log are looked for, in seconds.
_TICK = 0.2

# How long the end of the process waits for jobs that nobody has waited for, in seconds.
_AT_EXIT = 10.0


class Job:
    """A job in the background, from :func:`djhost.start`.

    >>> import djhost
    >>> job = djhost.start([{"text": "a text"}], [{"text_length_filter": {"min_len": 3}}])
    >>> job.wait().to_list()
    [{'text': 'a text'}]
    >>> job.status
    'completed'

    In a coroutine, ``result = await job`` does the same without blocking the event loop.
    """

    def __init__(
        self,
        native: _djhost.Job,
        *,
        restart: Callable[[], _djhost.Job],
        restore: Optional[Callable[[Result], Any]] = None,
        scratch: Optional["Scratch"] = None,
    ) -> None:
        self._native = native
        self._restart = restart
        self._restore = restore
        self._scratch = scratch
        # Where rows from memory are, also for later attempts, which are not given any.
        self._given = native.dataset
        self._result: Optional[Result] = None
        _note(native)

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._native.job_id

    @property
    def run_dir(self) -> Path:
        """The run directory, which ``djhost monitor`` takes."""
        return self._native.run_dir

    @property
    def status(self) -> str:
        """``running``, ``completed``, ``stopped`` or ``failed``."""
        outcome = self._native.outcome()
        if outcome is None:
            return "running"
        return "failed" if outcome[0] in ("refused", "unexpected") else outcome[0]

    def __repr__(self) -> str:
        return f"<djhost.Job {self.job_id}: {self.status}, {self.run_dir}>"

    def done(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self._native.outcome() is not None

    def live(self) -> Optional[dict[str, Any]]:
        """How far the job is, from memory: cheap enough to ask ten times a second.

        ``rows``, ``quarantined``, ``bytes_read`` of ``bytes``, ``op`` and ``op_name``, the number of
        ``partitions`` and ``partitions_done``, ``seconds`` since the tasks began, and whether it
        ``goes_on`` after all input is read. None before and after the tasks.
        """
        return self._native.live()

    def progress(self) -> dict[str, Any]:
        """How far the job is, from its run directory: what ``djhost monitor --json`` prints."""
        progress: dict[str, Any] = json.loads(_djhost.job_progress(self.run_dir))
        return progress

    def wait(self, timeout: Optional[float] = None, *, progress: Progress = False) -> Result:
        """Wait for the result, at most `timeout` seconds.

        Ctrl-C stops the job gracefully: what is complete is committed, and
        :class:`~djhost.errors.JobInterrupted` says how to go on. A second one does not wait.

        Raises:
            TimeoutError: The job still runs.
            JobFailed, JobStopped: It has ended without a result.
            ExpectationError: The result is not what ``expect`` demands.
        """
        until = None if timeout is None else time.monotonic() + timeout
        shown = display(self, progress)
        try:
            while not self._native.wait(_left(until)):
                self._hear()
                live = self._native.live()
                if live is not None:
                    shown.update(live)
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError(f"job `{self.job_id}` still runs after {timeout} seconds")
        except KeyboardInterrupt:
            self._native.stop("interrupt")
            # Another interrupt ends this wait, too.
            self._native.wait()
            shown.close()
            self._raise(interrupted=True)
        finally:
            shown.close()
            self._hear()
        return self._take()

    def stop(self, force: bool = False, timeout: float = 30) -> str:
        """Stop the job: it finishes the batches in work, and commits what is complete.

        Waits up to `timeout` seconds, with `force` not at all: threads of this process cannot be
        killed. Returns :attr:`status`, which is still ``running`` if that was not enough.
        """
        self._native.stop("request")
        self._native.wait(0 if force else timeout)
        self._hear()
        return self.status

    def resume(self) -> "Job":
        """Continue the job after it was stopped or has failed, and return it.

        What is complete already is not done again. A job that runs or is complete stays as it is.
        """
        outcome = self._native.outcome()
        if outcome is not None and outcome[0] != "completed":
            self._native = self._restart()
            _note(self._native)
        return self

    def events(self) -> list[dict[str, Any]]:
        """The events of all attempts so far, in order, as ``events_*.jsonl`` has them."""
        events = []
        for name in sorted(os.listdir(self.run_dir)) if self.run_dir.is_dir() else []:
            if name.startswith("events_") and name.endswith(".jsonl"):
                for line in (self.run_dir / name).read_bytes().splitlines():
                    try:
                        events.append(json.loads(line))
                    except ValueError:
                        # The line is just being written, or was when a process was killed.
                        continue
        return events

    @overload
    def logs(self, follow: "Literal[False]" = False) -> str: ...

    @overload
    def logs(self, follow: "Literal[True]") -> Iterator[str]: ...

    def logs(self, follow: bool = False) -> Union[str, Iterator[str]]:
        """The log of the last attempt; with `follow` its lines as they come, until the job ends."""
        if follow:
            return self._follow()
        log = self._log()
        return log.read_text(encoding="utf-8", errors="replace") if log else ""

    def __await__(self) -> Generator[Any, None, Result]:
        return self._wait_in_loop().__await__()

    async def _wait_in_loop(self) -> Result:
        import asyncio

        while not self.done():
            # Signals go to the main thread, where the event loop is.
            await asyncio.to_thread(self._native.wait, _TICK, signals=False)
            self._hear()
        return self._take()

    def _follow(self) -> Iterator[str]:
        seen, rest = 0, ""
        while True:
            has_ended = self._native.wait(_TICK)
            log = self._log()
            if log:
                with open(log, encoding="utf-8", errors="replace") as file:
                    file.seek(seen)
                    rest += file.read()
                    seen = file.tell()
                *lines, rest = rest.split("\n")
                yield from lines
            if has_ended:
                return

    def _log(self) -> Optional[Path]:
        logs = self.run_dir / "logs"
        names = sorted(logs.glob("attempt_*.txt")) if logs.is_dir() else []
        return names[-1] if names else None

    def _take(self) -> Result:
        """Return the result of a job that has ended, or raise what became of it."""
        outcome = self._native.outcome()
        if outcome is None or outcome[0] != "completed":
            self._raise()
        if self._result is None:
            self._result = Result(
                self.run_dir, restore=self._restore, scratch=self._scratch, given=self._given
            )
        unmet = _unmet(self._result.summary)
        if unmet:
            keys = ", ".join(f"`{demand['key']}` is {demand['value']}" for demand in unmet)
            raise ExpectationError(
                f"the result of job `{self.job_id}` is not as expected: {keys}",
                self,
                unmet=unmet,
                result=self._result,
            )
        return self._result

    def _raise(self, interrupted: bool = False) -> None:
        outcome = self._native.outcome()
        if outcome is None or outcome[0] == "completed":
            if interrupted:
                # It was complete before it heard of the interrupt.
                raise KeyboardInterrupt
            return
        state, message, problems = outcome
        if state == "refused":
            raise RecipeError(problems)
        command = None if self._scratch else self._resumption_command()
        go_on = f"go on with {self.how_to_go_on()}"
        global _last_ended
        _last_ended = self
        if state == "stopped":
            error = JobInterrupted if interrupted else JobStopped
            raise error(f"job `{self.job_id}` is stopped; {go_on}", self, command) from None
        if state == "unexpected":
            unmet = _unmet(self._summary())
            raise ExpectationError(f"job `{self.job_id}`: {message}", self, command, unmet)
        raise JobFailed(
            f"job `{self.job_id}` failed: {message}\n  once the cause is mended, {go_on}",
            self,
            command,
            problems,
        )

    def how_to_go_on(self) -> str:
        """What continues the job in this process, and from a terminal if its run directory is not temporary."""
        command = None if self._scratch else self._resumption_command()
        here = "`djhost.last_job().resume().wait()`"
        return f"{here}, or: {command}" if command else f"{here} in this process"

    def _repr_html_(self) -> str:
        from djhost._html import job_html

        return job_html(self)

    def _summary(self) -> dict[str, Any]:
        try:
            summary: dict[str, Any] = json.loads((self.run_dir / "job_summary.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return summary

    def _resumption_command(self) -> Optional[str]:
        command = self._summary().get("resumption_command")
        return str(command) if command else None

    def _hear(self) -> None:
        for warning in self._native.warnings():
            _log.warning("%s", warning)


def _unmet(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The demands of ``expect`` that are not met."""
    return [demand for demand in summary.get("expected", []) if not demand["is_met"]]


def _left(until: Optional[float]) -> float:
    return _TICK if until is None else max(0.0, min(_TICK, until - time.monotonic()))


# Jobs that run, whether or not anybody still knows of them.
_running: list[_djhost.Job] = []
_last_ended: Optional[Job] = None
_pid = os.getpid()


def _note(job: _djhost.Job) -> None:
    _running[:] = [known for known in _running if known.outcome() is None]
    _running.append(job)


def last_job() -> Job:
    """Return the last job of this process that was stopped or has failed, for example by interrupting a cell.

    ``djhost.last_job().resume().wait()`` continues it. Raises :class:`~djhost.errors.JobNotFound` if there is none.
    """
    if _last_ended is None:
        raise JobNotFound("no job of this process was stopped or has failed")
    return _last_ended


@atexit.register
def _stop_all() -> None:
    """Let the jobs that still run commit what they have: their threads end with the process."""
    if os.getpid() != _pid:
        return
    for job in _running:
        job.stop("end of the process")
    until = time.monotonic() + _AT_EXIT
    for job in _running:
        job.wait(max(0.0, until - time.monotonic()))
