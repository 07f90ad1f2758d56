"""Stops a job: ``python -m djhost.utils.job.stopper JOB [--force]``, or lists them: ``… --list``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, Optional

from djhost import _djhost
from djhost.errors import RecipeError
from djhost.utils.job._command import run
from djhost.utils.job.common import JobUtils, StrPath


class JobStopper:
    """Stops the process that runs a job. ``job_id`` and ``base_dir`` as for :class:`JobUtils`."""

    def __init__(self, job_id: str, base_dir: Optional[StrPath] = None) -> None:
        self.job_utils = JobUtils(job_id, base_dir)
        self.job_id = self.job_utils.job_id
        self.work_dir = self.job_utils.work_dir

    def stop_job(self, force: bool = False, timeout: float = 30) -> dict[str, Any]:
        """See :func:`stop_job`."""
        ids = self.job_utils.extract_process_thread_ids()
        try:
            report = json.loads(_djhost.stop_job(self.work_dir, force, float(timeout)))
        except RecipeError as error:
            status = self.job_utils.load_progress()["status"]
            report = {"outcome": "refused", "status": status, "at_work": [], "resumption_command": None, "why": str(error)}
        ended = report["outcome"] in ("stopped", "killed")
        return {
            "job_id": self.job_id,
            "success": ended,
            "processes_found": len(ids["process_ids"]),
            "processes_terminated": int(ended),
            "threads_found": len(ids["thread_ids"]),
            "threads_terminated": 0,
            "errors": [] if ended else [_why(report, timeout)],
            "outcome": report["outcome"],
            "status": report["status"],
            "at_work": report["at_work"],
            "resumption_command": report["resumption_command"],
        }


def _why(report: dict[str, Any], timeout: float) -> str:
    if "why" in report:
        return str(report["why"])
    job, outcome = f"job `{report['job_id']}`", report["outcome"]
    if outcome == "still_running":
        return f"{job} still runs after {timeout:g} s; it stops once it has finished what it has begun"
    if outcome == "died":
        return f"{job} is not running: its process died"
    return f"{job} is not running: it is {report['status']}"


def stop_job(job_id: str, base_dir: Optional[StrPath] = None, force: bool = False, timeout: float = 30) -> dict[str, Any]:
    """Stops a job and returns what came of it.

    The process is asked to finish the batches in flight and to commit what is complete; ``timeout`` is how many seconds to wait for
    that. With ``force`` it is killed at once; what is committed stays. Either way the job can be resumed. Only the process that
    holds the lock of the job is ever signalled, and a job that is not running stays what it is.

    ``success`` says whether the job was ended by this call, ``errors`` why not. ``outcome`` is ``stopped``, ``killed``,
    ``finished`` (before it saw the request), ``still_running``, ``not_running``, ``died``, or ``refused``: a program that does more
    than this job, such as a Python process, is not killed. ``at_work`` is what a kill would lose, ``resumption_command`` what
    continues the job. Raises :class:`djhost.errors.JobNotFound`.

    >>> stop_job(job_id)["errors"]
    ['job `docs` is not running: it is completed']
    """
    return JobStopper(job_id, base_dir).stop_job(force=force, timeout=timeout)


def main(argv: Optional[list[str]] = None) -> int:
    """The command; returns its exit code, that of ``djhost stop``."""
    parser = argparse.ArgumentParser(prog="python -m djhost.utils.job.stopper", description="Stops a job.")
    parser.add_argument("job_id", nargs="?", help="job id, the beginning of one, or the path of a run directory")
    parser.add_argument("--base-dir", help="look for jobs in this directory only")
    parser.add_argument("--force", action="store_true", help="kill the process at once; what is committed stays")
    parser.add_argument("--timeout", type=int, default=30, help="seconds to wait for the job to end (default: 30)")
    parser.add_argument("--list", action="store_true", help="list the jobs, newest first, with their states")
    args = parser.parse_args(argv)
    below = [f"--base-dir={os.fspath(args.base_dir)}"] if args.base_dir else []
    if args.list:
        return run(["jobs", "--all", *below])
    if not args.job_id:
        parser.error("a job id is required unless --list is given")
    force = ["--force"] if args.force else []
    return run(["stop", *below, *force, f"--timeout={args.timeout}", "--", args.job_id])


if __name__ == "__main__":
    sys.exit(main())
