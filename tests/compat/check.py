"""Data-Juicer's own job tools on a run directory of djhost.

    check.py show BASE_DIR JOB_ID < progress.json    compares what they say with `djhost monitor JOB_ID --json`
    check.py stop BASE_DIR JOB_ID                    stops the job with Data-Juicer's stopper once a line comes in

Prints what Data-Juicer printed. Ends with 1 and a list if they differ.
"""

import contextlib
import io
import json
import sys

from data_juicer.utils.job.common import JobUtils, list_running_jobs
from data_juicer.utils.job.monitor import show_job_progress
from data_juicer.utils.job.stopper import stop_job

STATES = {"completed": "completed", "processing": "processing", "failed": "failed", "pending": "pending"}
wrong = []


def same(what, theirs, ours):
    near = isinstance(ours, float) and isinstance(theirs, (int, float)) and abs(theirs - ours) <= 1e-6 * max(1.0, abs(ours))
    if not near and theirs != ours:
        wrong.append(f"{what}: Data-Juicer says {theirs!r}, djhost {ours!r}")


def show(base_dir, job_id, ours):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        theirs = show_job_progress(job_id, base_dir=base_dir, detailed=True)
    printed = printed.getvalue()
    print(printed)

    overall, mapping = theirs["overall_progress"], theirs["dataset_mapping"]
    same("status", overall["job_status"], ours["status"])
    same("status in the list", [job["status"] for job in list_running_jobs(base_dir) if job["job_id"] == job_id], [ours["status"]])
    same("start", theirs["job_summary"]["start_time"], ours["start_time"])
    same("dataset", mapping["original_dataset_path"], ours["dataset_path"])
    counts = ours["partitions"]
    same("partitions", overall["total_partitions"], counts["total"])
    same("partitions that are done", overall["completed_partitions"], counts["done"])
    if ours["rows"]["total"] is not None:
        same("samples", mapping["original_dataset_size"], ours["rows"]["total"])
    if ours["status"] == "completed":
        same("progress", overall["progress_percentage"], 100.0)
        same("samples processed", overall["processed_samples"], ours["rows"]["read"])
    for part in ours["partition"]:
        show_partition(theirs["partition_status"].get(part["partition_id"]), part, ours["status"])

    for line in [f"Status: {ours['status'].upper()}", f"Dataset: {ours['dataset_path']}"]:
        if line not in printed:
            wrong.append(f"Data-Juicer did not print `{line}`")
    same("events", len({e["event_id"] for e in JobUtils(job_id, base_dir=base_dir).load_event_logs()}) > 0, True)


def show_partition(theirs, ours, status):
    name = f"partition {ours['partition_id']}"
    if theirs is None:
        wrong.append(f"{name}: unknown to Data-Juicer")
        return
    # Data-Juicer knows no `partition_failed` and no `job_stopped`: what had begun stays `processing` in its eyes.
    if ours["state"] == "completed" or status in ("running", "completed"):
        same(f"{name}: state", theirs["status"], STATES[ours["state"]])
    if ours["state"] == "completed":
        same(f"{name}: samples", theirs["sample_count"], ours["rows_in"])
        same(f"{name}: start and end are told", bool(theirs["start_time"] and theirs["end_time"]), True)
    ops = [
        (
            {"name": op["name"], "idx": op["index"], "input_rows": op["rows_in"], "output_rows": op["rows_out"]},
            {"duration": op["wall_seconds"], "throughput": op["throughput"], "reduction_ratio": op["reduction_ratio"]},
        )
        for op in ours["ops"]
    ]
    same(f"{name}: number of ops", len(theirs["completed_ops"]), len(ops))
    for their_op, (exact, measured) in zip(theirs["completed_ops"], ops):
        for key, value in {**exact, **measured}.items():
            same(f"{name}: {exact['name']}: {key}", their_op[key], value)
    if ours["state"] == "processing" and ours["current_op"]:
        same(f"{name}: current op", theirs["current_op"]["name"], ours["current_op"]["operation_name"])
    saved = [(c["operation_idx"], c["operation_name"], c["checkpoint_path"]) for c in theirs["checkpoints"]]
    same(f"{name}: checkpoints", saved, [(c["operation_idx"], c["operation_name"], c["path"]) for c in ours["checkpoints"]])


def stop(base_dir, job_id):
    # Importing all this takes longer than many a job.
    print("ready", flush=True)
    sys.stdin.readline()
    result = stop_job(job_id, base_dir=base_dir, timeout=60)
    print(json.dumps(result))
    same("success", result["success"], True)
    same("processes", result["processes_terminated"], 1)


if __name__ == "__main__":
    if sys.argv[1] == "show":
        show(sys.argv[2], sys.argv[3], json.load(sys.stdin))
    else:
        stop(sys.argv[2], sys.argv[3])
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)
