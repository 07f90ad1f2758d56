"""What can go wrong.

All exceptions of djhost are of :class:`DjhostError`:

>>> import djhost
>>> try:
...     djhost.run([{"text": "abc"}], [{"text_length_filter": {"min_length": 5}}])
... except djhost.errors.RecipeError as error:
...     print(error.problems[0].path)
process[0].text_length_filter.min_length
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Sequence

if TYPE_CHECKING:
    from djhost._job import Job
    from djhost._result import Result

__all__ = [
    "DataError",
    "DjhostError",
    "ExpectationError",
    "JobFailed",
    "JobInterrupted",
    "JobNotFound",
    "JobStopped",
    "ParameterError",
    "PluginError",
    "Problem",
    "QuestionError",
    "RecipeError",
]


class Problem(NamedTuple):
    """One mistake that the user can mend."""

    path: str
    """Where in the recipe: ``process[3].text_length_filter.min_len``, or an option. May be empty."""
    file: Optional[str]
    """The file, such as the recipe's."""
    line: Optional[int]
    """The line in the file, from 1."""
    message: str
    """What is wrong, with the offending value."""
    hint: Optional[str]
    """What to do."""

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.path:
            place += f": {self.path}" if place else self.path
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class DjhostError(Exception):
    """Any error of djhost."""


def problem(message: str, *, path: str = "", hint: Optional[str] = None) -> Problem:
    """A mistake that is in no file."""
    return Problem(path, None, None, message, hint)


class _Problems(DjhostError):
    """Has all mistakes that were found at once."""

    problems: list[Problem]

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type, tuple[list[Problem]]]:
        return type(self), (self.problems,)


class RecipeError(_Problems):
    """The recipe, an option, the dataset or a path is not usable as given. Nothing was started."""


class ParameterError(RecipeError, TypeError):
    """A parameter of an operator does not exist, or has a value that is not valid."""


class PluginError(_Problems):
    """A plugin cannot be used or built. Nothing was started."""


class QuestionError(_Problems):
    """A question about a job has no answer: it has no such row, op or threshold, or has not recorded it."""


class DataError(DjhostError, ValueError):
    """Rows that were given in memory cannot be taken as they are. Nothing was started."""


class JobNotFound(DjhostError, LookupError, FileNotFoundError):
    """There is no such job, or several."""


class _Ended(DjhostError):
    """A job has ended without a result."""

    job: Optional["Job"]
    """The job; ``job.resume()`` continues it."""
    resumption_command: Optional[str]
    """The command that continues the job. None if its run directory is temporary."""

    def __init__(
        self,
        message: str,
        job: Optional["Job"] = None,
        resumption_command: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.job = job
        self.resumption_command = resumption_command


class JobFailed(_Ended):
    """The job failed. It can be continued once the cause is mended."""

    problems: list[Problem]
    """What the user has to mend, as far as it is known."""

    def __init__(
        self,
        message: str,
        job: Optional["Job"] = None,
        resumption_command: Optional[str] = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, job, resumption_command)
        self.problems = list(problems)


class ExpectationError(_Ended):
    """The result is not what ``expect`` in the recipe demands."""

    unmet: list[dict[str, Any]]
    """The demands that are not met: ``key``, ``min`` or ``max``, and the ``value`` that is the case."""
    result: Optional["Result"]
    """The result; None with ``expect.block_export``, where nothing is exported."""

    def __init__(
        self,
        message: str,
        job: Optional["Job"] = None,
        resumption_command: Optional[str] = None,
        unmet: Sequence[dict[str, Any]] = (),
        result: Optional["Result"] = None,
    ) -> None:
        super().__init__(message, job, resumption_command)
        self.unmet = list(unmet)
        self.result = result


class JobStopped(_Ended):
    """The job was stopped on request. It can be continued."""


class JobInterrupted(JobStopped, KeyboardInterrupt):
    """The job was stopped by Ctrl-C, or by interrupting a cell. It can be continued."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of the traceback: who interrupts a cell knows where.
        return [f"{type(self).__name__}: {str(self).split('; ')[0]}"]
