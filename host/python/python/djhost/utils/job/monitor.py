"""Shows the progress of a job: ``python -m djhost.utils.job.monitor JOB [--detailed] [--watch --interval 10]``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Optional

from djhost import _djhost
from djhost.utils.job._command import run
from djhost.utils.job.common import JobUtils, StrPath, overall_progress, partition_status


class JobProgressMonitor:
    """The progress of a job, for people and for programs. ``job_id`` and ``base_dir`` as for :class:`JobUtils`."""

    def __init__(self, job_id: str, base_dir: Optional[StrPath] = None) -> None:
        self.job_utils = JobUtils(job_id, base_dir)
        self.job_id = self.job_utils.job_id
        self.work_dir = self.job_utils.work_dir

    def display_progress(self, detailed: bool = False) -> None:
        """Prints what ``djhost monitor`` prints; with ``detailed`` also the ops and checkpoints of each partition."""
        # A notebook's or a test's `sys.stdout` is not the terminal that the process may have.
        out: Any = sys.stdout
        on_terminal = out is not None and out.isatty() and out is sys.__stdout__
        print(_djhost.job_text(self.work_dir, detailed, on_terminal), end="")

    def get_progress_data(self) -> dict[str, Any]:
        """Everything that is known, by the names of Data-Juicer; ``progress`` has it in djhost's terms."""
        job = self.job_utils
        progress, mapping = job.load_progress(), job.load_dataset_mapping()
        partitions = partition_status(progress, job.load_event_logs(), mapping)
        return {
            "job_id": self.job_id,
            "job_summary": job.load_job_summary(),
            "dataset_mapping": mapping,
            "partition_status": partitions,
            "overall_progress": overall_progress(progress, partitions),
            "progress": progress,
        }


def show_job_progress(job_id: str, base_dir: Optional[StrPath] = None, detailed: bool = False) -> dict[str, Any]:
    """Prints the progress of a job and returns it.

    ``job_id`` is the id, the beginning of one, or the path of the run directory; ``base_dir`` the directory that holds that.
    ``detailed`` also prints the ops and checkpoints of each partition. Raises :class:`djhost.errors.JobNotFound`.

    >>> data = show_job_progress(job_id, detailed=True)  # doctest: +ELLIPSIS
    Job docs completed
    ...
    >>> data["overall_progress"]["completed_partitions"]
    1
    """
    monitor = JobProgressMonitor(job_id, base_dir)
    monitor.display_progress(detailed)
    return monitor.get_progress_data()


def main(argv: Optional[list[str]] = None) -> int:
    """The command; returns its exit code, that of ``djhost monitor``."""
    parser = argparse.ArgumentParser(prog="python -m djhost.utils.job.monitor", description="Shows the progress of a job.")
    parser.add_argument("job_id", help="job id, the beginning of one, or the path of a run directory")
    parser.add_argument("--base-dir", help="look for the job in this directory only")
    parser.add_argument("--detailed", action="store_true", help="also show the ops and checkpoints of each partition")
    parser.add_argument("--watch", action="store_true", help="keep showing it until the job ends")
    parser.add_argument("--interval", type=int, default=10, help="seconds between updates with --watch (default: 10)")
    args = parser.parse_args(argv)
    command = ["monitor"]
    command += [f"--base-dir={os.fspath(args.base_dir)}"] if args.base_dir else []
    command += ["--detailed"] if args.detailed else []
    command += ["--watch", f"--interval={args.interval}"] if args.watch else []
    return run([*command, "--", args.job_id])


if __name__ == "__main__":
    sys.exit(main())
