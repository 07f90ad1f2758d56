"""The code of Data-Juicer's page runs with `djhost` in place of `data_juicer`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

PAGE = (Path(__file__).parent / "page.md").read_text().replace("data_juicer", "djhost")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
    return [shlex.split(line.replace("{job_id}", "job_id"))[1:] for line in lines]


def test_the_python_blocks_run(make_job: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    root = make_job("job_id")
    names: dict[str, Any] = {}
    assert len(blocks("python")) == 3
    for block in blocks("python"):
        exec(block, names)
    assert names["data"]["overall_progress"]["progress_percentage"] == 100.0
    assert names["data"]["job_id"] == "job_id"
    assert "Partition 3: ops" in capsys.readouterr().out
    assert [job["work_dir"] for job in names["running_jobs"]] == [str(root)]
    assert names["summary"]["status"] == "completed"
    assert names["events"][-1]["event_type"] == "job_complete"


@pytest.mark.parametrize("args", commands(), ids=" ".join)
def test_the_commands_run(args: list[str], make_job: Callable[[str], Path]) -> None:
    make_job("job_id")
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True)
    # `djhost stop` says with 11 that the job was not running.
    assert done.returncode == (11 if "stopper" in args[1] and "--list" not in args else 0), done.stderr
    assert "completed" in done.stdout and ("--watch" in args or "job_id" in done.stdout)
    assert done.stderr == ""


def test_watching_shows_a_job_until_it_ends(running_job: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    process = running_job("job_id")
    watch = [sys.executable, "-m", "djhost.utils.job.monitor", "job_id", "--watch", "--interval", "1"]
    lines = subprocess.run(watch, capture_output=True, text=True, check=True).stdout.splitlines()
    assert process.wait() == 0
    assert lines[0].startswith("running") and lines[-1].startswith("completed"), lines
