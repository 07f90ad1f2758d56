"""Watching and stopping jobs from Python."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Callable

import pytest

import djhost
from conftest import SLOW_RECIPE, at_work, command
from djhost.errors import JobNotFound, JobStopped
from djhost.utils.job.common import JobUtils, list_running_jobs
from djhost.utils.job.monitor import show_job_progress
from djhost.utils.job.stopper import stop_job

Start = Callable[[str], "subprocess.Popen[bytes]"]
Make = Callable[[str], Path]


def test_a_finished_job_is_described(make_job: Make, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_job("done")
    job = JobUtils("done")
    assert (job.job_id, job.work_dir) == ("done", root)
    assert job.load_job_summary() == json.loads((root / "job_summary.json").read_text())
    assert job.load_dataset_mapping() == json.loads((root / "metadata/dataset_mapping.json").read_text())
    progress = job.calculate_overall_progress()
    assert (progress["total_samples"], progress["processed_samples"], progress["total_partitions"]) == (400, 400, 4)
    assert progress["estimated_remaining_seconds"] == 0.0 and progress["fraction"] == 1.0
    status = job.get_partition_status()
    assert sorted(status) == [0, 1, 2, 3]
    assert [op["name"] for op in status[2]["completed_ops"]] == [op["name"] for op in job.get_operation_pipeline()]
    assert [op["idx"] for op in status[2]["completed_ops"]] == [0, 1, 2, 3, 4]
    assert status[2]["status"] == "completed" and status[2]["current_op"] is None
    assert len(status[2]["checkpoints"]) > 0
    assert job.get_operation_pipeline()[1]["config"]["min_len"] == 20
    data = show_job_progress("done")
    assert "Partition 3: ops" not in capsys.readouterr().out
    monitor = subprocess.run(command("monitor", "done", "--json"), capture_output=True, check=True).stdout
    assert data["progress"] == json.loads(monitor)


def test_jobs_are_found_by_id_beginning_and_path(make_job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_job("experiment_1")
    for args in [("experiment_1",), ("exper",), (str(root),), ("experiment_1", root.parent), ("experiment_1", str(root))]:
        assert JobUtils(*args).work_dir == root
    assert JobUtils("anything", work_dir=root).job_id == "experiment_1"
    monkeypatch.chdir("/")
    assert JobUtils("experiment_1").work_dir == root, "the registry knows it"
    with pytest.raises(JobNotFound, match="did you mean `experiment_1`"):
        JobUtils("experimant_1")
    with pytest.raises(FileNotFoundError):
        JobUtils("experiment_1", base_dir=tmp_path / "elsewhere")
    with pytest.raises(JobNotFound):
        stop_job("nothing")


def test_a_running_job_is_asked_to_stop_and_goes_on_later(running_job: Start) -> None:
    process = running_job("live")
    # While it stands still it cannot end, however fast the machine is.
    os.kill(process.pid, signal.SIGSTOP)
    progress = JobUtils("live").calculate_overall_progress()
    assert (progress["job_status"], progress["completed_partitions"] < 4) == ("running", True)
    assert [(job["status"], job["processes"]) for job in list_running_jobs()] == [("running", 1)]
    waiting = stop_job("live", timeout=0)
    assert (waiting["success"], waiting["outcome"]) == (False, "still_running") and waiting["errors"]
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait() == 3
    after = stop_job("live")
    assert (after["success"], after["status"]) == (False, "stopped")
    assert "live" in after["resumption_command"]
    assert subprocess.run(command("run", "recipe.yaml", "--job_id", "live", "--quiet"), capture_output=True).returncode == 0
    assert JobUtils("live").calculate_overall_progress()["job_status"] == "completed"


def test_force_kills_it(running_job: Start) -> None:
    process = running_job("live")
    os.kill(process.pid, signal.SIGSTOP)
    result = stop_job("live", force=True, timeout=60)
    assert process.wait() == -signal.SIGKILL
    assert (result["success"], result["processes_terminated"], result["errors"]) == (True, 1, [])


def test_a_job_of_this_process_is_asked_and_never_killed(slow_rows: Path) -> None:
    job = djhost.start(slow_rows, SLOW_RECIPE, job_id="mine", np=1)
    while not at_work(job.run_dir):
        assert not job.done(), "the job ended before it was seen"
    refused = stop_job("mine", force=True)
    assert (refused["success"], refused["outcome"], job.status) == (False, "refused", "running")
    assert "a program that does more than this job" in refused["errors"][0]
    assert stop_job("mine")["success"]
    with pytest.raises(JobStopped):
        job.wait()


def test_a_job_whose_process_died_is_said_to_be_dead(running_job: Start) -> None:
    process = running_job("live")
    process.kill()
    process.wait()
    assert JobUtils("live").calculate_overall_progress()["job_status"] == "died"
    assert "died" in stop_job("live")["errors"][0]


def test_a_timeout_that_is_none_is_refused(make_job: Make) -> None:
    make_job("done")
    with pytest.raises(ValueError, match="timeout is -1"):
        stop_job("done", timeout=-1)
