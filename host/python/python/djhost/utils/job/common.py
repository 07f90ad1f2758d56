"""What a run directory says about its job."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Optional, Union

from djhost import _djhost

StrPath = Union[str, "os.PathLike[str]"]

#: States of a job in which a process works on it.
AT_WORK = ("running", "stopping")


class JobUtils:
    """A job as its run directory describes it. Only reads; safe while the job runs.

    ``job_id`` is the id, the beginning of one, or the path of the run directory. ``base_dir`` is the directory that holds the run
    directory; without it all jobs of this user are searched, and those below ``./outputs``. ``work_dir`` is the run directory
    itself. Raises :class:`djhost.errors.JobNotFound`, which is also a ``FileNotFoundError``, if there is no such job.

    >>> job = JobUtils(job_id)
    >>> job.load_job_summary()["status"]
    'completed'
    >>> job.calculate_overall_progress()["progress_percentage"]
    100.0
    >>> [op["name"] for op in job.get_operation_pipeline()]
    ['text_length_filter']
    """

    #: The whole job id.
    job_id: str
    #: The run directory.
    work_dir: Path

    def __init__(self, job_id: str, base_dir: Optional[StrPath] = None, *, work_dir: Optional[StrPath] = None) -> None:
        if work_dir is not None:
            # A path with a directory in it, so that it is not taken for an id.
            found = _djhost.find_job(os.path.abspath(work_dir))
        else:
            found = _djhost.find_job(os.fspath(job_id), None if base_dir is None else os.fspath(base_dir))
        self.work_dir = Path(found)
        self.job_id = self.work_dir.name

    def __repr__(self) -> str:
        return f"JobUtils({self.job_id!r}, work_dir={str(self.work_dir)!r})"

    def load_job_summary(self) -> Optional[dict[str, Any]]:
        """``job_summary.json``: status, times, totals, ledger, a row for each op; None before the job has written one."""
        text = _djhost.job_summary(self.work_dir)
        return None if text is None else json.loads(text)

    def load_event_logs(self) -> list[dict[str, Any]]:
        """The events of all attempts, in the order in which they happened. Lines that a kill tore are left out."""
        events: dict[str, dict[str, Any]] = {}
        for file in _djhost.job_event_files(self.work_dir):
            for line in Path(file).read_bytes().splitlines():
                try:
                    event = json.loads(line)
                    # Attempts may repeat an event of others; each is there once.
                    events.setdefault(event["event_id"], event)
                except (ValueError, KeyError, TypeError):
                    continue
        return sorted(events.values(), key=lambda event: (event.get("attempt", 0), event.get("seq", 0)))

    def load_dataset_mapping(self) -> dict[str, Any]:
        """``dataset_mapping.json``: the dataset, its size and its partitions; empty before the dataset is divided."""
        text = _djhost.job_mapping(self.work_dir)
        return {} if text is None else json.loads(text)

    def load_progress(self) -> dict[str, Any]:
        """What ``djhost monitor --json`` prints: everything about the progress, in djhost's own terms."""
        progress: dict[str, Any] = json.loads(_djhost.job_progress(self.work_dir))
        return progress

    def extract_process_thread_ids(self) -> dict[str, set[int]]:
        """The ids of the processes that worked on the job, and of their threads, which djhost counts from 1."""
        events = self.load_event_logs()
        return {
            "process_ids": {event["process_id"] for event in events},
            "thread_ids": {event["thread_id"] for event in events},
        }

    def get_partition_status(self) -> dict[int, dict[str, Any]]:
        """State, rows, times, finished ops and checkpoints of each partition, by its number."""
        return partition_status(self.load_progress(), self.load_event_logs(), self.load_dataset_mapping())

    def calculate_overall_progress(self) -> dict[str, Any]:
        """Counts of partitions and rows, and the share that is done.

        ``progress_percentage`` is the share of partitions that are complete, as in Data-Juicer; ``fraction`` (0 to 1) also counts
        the work in those that are not. ``estimated_remaining_seconds`` comes from the speed of the present attempt; it is None
        unless the job runs and its speed is known, and 0 if it is complete. ``job_status`` is ``running``, ``stopping``,
        ``completed``, ``failed``, ``stopped``, or ``died``: nobody runs the job, and nobody said how it ended.
        """
        progress = self.load_progress()
        return overall_progress(progress, self.get_partition_status())

    def get_operation_pipeline(self) -> list[dict[str, Any]]:
        """The ops in the order of the recipe: ``name``, and ``config``, its parameters with their defaults."""
        pipeline = []
        for entry in json.loads(_djhost.job_pipeline(self.work_dir)) or []:
            name, config = (entry, None) if isinstance(entry, str) else next(iter(entry.items()))
            pipeline.append({"name": name, "config": config or {}})
        return pipeline


def partition_status(
    progress: dict[str, Any], events: list[dict[str, Any]], mapping: dict[str, Any]
) -> dict[int, dict[str, Any]]:
    """What `JobUtils.get_partition_status` returns, from what is loaded already."""
    # Rows of a partition are known before it is read if the format counts them.
    samples = {part["partition_id"]: part["sample_count"] for part in mapping.get("partitions", ())}
    began = {
        (event["partition_id"], event["operation_idx"]): event["timestamp"]
        for event in events
        if event["event_type"] == "op_start"
    }
    return {
        part["partition_id"]: _partition(part, began, samples.get(part["partition_id"]) or part["rows_in"])
        for part in progress["partition"]
    }


def _partition(part: dict[str, Any], began: dict[tuple[int, int], float], samples: int) -> dict[str, Any]:
    current = part["current_op"]
    return {
        "status": part["state"],
        "sample_count": samples,
        "start_time": part["start_time"],
        "end_time": part["end_time"],
        "error_message": part["error_message"],
        "current_op": current
        and {
            "name": current["operation_name"],
            "idx": current["operation_idx"],
            "start_time": began.get((part["partition_id"], current["operation_idx"]), part["start_time"]),
        },
        "completed_ops": [
            {
                "name": op["name"],
                "idx": op["index"],
                "duration": op["wall_seconds"],
                "input_rows": op["rows_in"],
                "output_rows": op["rows_out"],
                "throughput": op["throughput"],
                "reduction_ratio": op["reduction_ratio"],
            }
            for op in part["ops"]
        ],
        "checkpoints": [
            {
                "operation_name": checkpoint["operation_name"],
                "operation_idx": checkpoint["operation_idx"],
                "checkpoint_path": checkpoint["path"],
                "timestamp": checkpoint["time"],
            }
            for checkpoint in part["checkpoints"]
        ],
    }


def overall_progress(progress: dict[str, Any], partitions: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """What `JobUtils.calculate_overall_progress` returns, from what is loaded already."""
    counts = progress["partitions"]
    total, done = counts["total"], counts["done"]
    left = progress["eta_seconds"]
    return {
        "total_partitions": total,
        "completed_partitions": done,
        "processing_partitions": counts["running"],
        "failed_partitions": counts["failed"],
        "progress_percentage": 100.0 * done / total if total else 0.0,
        "total_samples": sum(part["sample_count"] for part in partitions.values()),
        "processed_samples": sum(part["sample_count"] for part in partitions.values() if part["status"] == "completed"),
        "estimated_remaining_seconds": 0.0 if progress["status"] == "completed" else left,
        "job_status": progress["status"],
        "fraction": progress["fraction"],
    }


def list_running_jobs(base_dir: Optional[StrPath] = None) -> list[dict[str, Any]]:
    """The jobs below ``base_dir``, newest first, with their ``status`` and the number of ``processes`` that work on them.

    As in Data-Juicer, jobs that have ended are in the list, too: ``processes`` is 0 for them. Without ``base_dir`` these are all
    jobs that this user started on this machine, and those below ``./outputs``.

    >>> [(job["job_id"], job["status"], job["processes"]) for job in list_running_jobs(work_dir)]
    [('docs', 'completed', 0)]
    """
    jobs = json.loads(_djhost.jobs(None if base_dir is None else os.fspath(base_dir), True))
    return [
        {
            "job_id": job["job_id"],
            "status": job["status"],
            "start_time": job["start_time"],
            "processes": int(job["status"] in AT_WORK),
            "work_dir": job["work_dir"],
            "dataset_path": job["dataset_path"],
            "fraction": job["fraction"],
        }
        for job in jobs
    ]
