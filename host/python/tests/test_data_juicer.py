"""The job functions beside Data-Juicer's own, on one run directory.

Data-Juicer is in the environment that the suite `compat` makes (`tests/harness/python.rs`); it is made here if it is not there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

PACKAGES = ["py-data-juicer==1.6.1", "aiohttp"]
REPORT = Path(__file__).parent / "dj_report.py"


@pytest.fixture(scope="session")
def data_juicer() -> Path:
    """The Python that has Data-Juicer."""
    target = Path(__file__).resolve().parents[3] / "target" / "tmp"
    venv = Path(os.environ.get("DJHOST_TEST_VENVS", target)) / "data-juicer-venv"
    python = venv / "bin" / "python"
    if not works(python):
        subprocess.run(["python3", "-m", "venv", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        assert works(python), "Data-Juicer is installed and does not start"
    return python


def works(python: Path) -> bool:
    test = [str(python), "-c", "import data_juicer.utils.job.stopper"]
    return python.exists() and subprocess.run(test, capture_output=True).returncode == 0


def report(python: Path, package: str, root: Path) -> dict[str, Any]:
    done = subprocess.run([str(python), str(REPORT), package, str(root.parent), root.name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def same_shape(ours: Any, theirs: Any, place: str) -> None:
    """Every key of theirs is in ours, with a value of the same type."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), place
        for key, value in theirs.items():
            assert key in ours, f"{place}.{key} is missing"
            same_shape(ours[key], value, f"{place}.{key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), place
        for i, (our, their) in enumerate(zip(ours, theirs)):
            same_shape(our, their, f"{place}[{i}]")
    elif isinstance(theirs, bool) or theirs is None or isinstance(theirs, str):
        assert isinstance(ours, type(theirs)), f"{place}: {ours!r} is not {theirs!r}"
    else:
        assert isinstance(ours, (int, float)) and not isinstance(ours, bool), f"{place}: {ours!r} is not {theirs!r}"


def near(ours: Any, theirs: Any) -> Any:
    """Ours with only the keys of theirs, at any depth; floats as pytest compares them."""
    if isinstance(theirs, dict):
        return {key: near(ours[key], value) for key, value in theirs.items()}
    if isinstance(theirs, list):
        return [near(our, their) for our, their in zip(ours, theirs)] + ours[len(theirs) :]
    return pytest.approx(ours, rel=1e-6) if isinstance(theirs, float) else ours


def test_every_function_returns_what_data_juicers_returns(
    make_job: Callable[[str], Path], data_juicer: Path, tmp_path: Path
) -> None:
    root = make_job("docs")
    # A copy: Data-Juicer's stopper writes into the run directory.
    copy = tmp_path / "copy" / "docs"
    shutil.copytree(root, copy)
    theirs, ours = report(data_juicer, "data_juicer", copy), report(Path(sys.executable), "djhost", root)
    theirs = json.loads(json.dumps(theirs).replace(str(copy), str(root)))
    # Data-Juicer finds no operators in the run directories of its own jobs, either.
    assert theirs.pop("get_operation_pipeline") == []
    assert [op["name"] for op in ours.pop("get_operation_pipeline")][1] == "text_length_filter"
    for name, value in theirs.items():
        same_shape(ours[name], value, name)
    for name in ("load_job_summary", "load_event_logs", "load_dataset_mapping", "attributes"):
        assert ours[name] == theirs[name], name
    # Data-Juicer counts the time from the start of the job until now; what is left of a complete job is nothing in both.
    for name, value in theirs.items():
        if name != "stop_job":
            assert value == near(ours[name], value), name
    # A complete job is not stopped by either; Data-Juicer gives no reason.
    assert ours["stop_job"].pop("errors") == ["job `docs` is not running: it is completed"]
    assert theirs["stop_job"].pop("errors") == []
    assert theirs["stop_job"] == near(ours["stop_job"], theirs["stop_job"])


@pytest.mark.parametrize("data", ["in.jsonl", "in.parquet"])
def test_a_stopped_job_is_described_alike(
    data: str, running_job: Callable[..., "subprocess.Popen[bytes]"], data_juicer: Path, tmp_path: Path
) -> None:
    # Parquet says how many rows there are before they are read.
    process = running_job("docs", data)
    process.terminate()
    assert process.wait() == 3
    root = Path.cwd() / "outputs" / "docs"
    theirs, ours = report(data_juicer, "data_juicer", root), report(Path(sys.executable), "djhost", root)
    for name in ("load_job_summary", "load_event_logs", "load_dataset_mapping", "list_running_jobs"):
        same_shape(ours[name], theirs[name], name)
    for key in ("total_partitions", "completed_partitions", "total_samples", "progress_percentage", "job_status"):
        assert ours["calculate_overall_progress"][key] == theirs["calculate_overall_progress"][key], key
    for number, part in theirs["get_partition_status"].items():
        assert ours["get_partition_status"][number]["sample_count"] == part["sample_count"], number
