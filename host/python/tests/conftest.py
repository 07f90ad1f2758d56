"""A directory of its own for each test, and jobs to look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of a test are registered in, and found from, its own directory."""
    for name in [name for name in os.environ if name.startswith(("DJHOST_", "DJ_PROCESS_")) and "CACHE" not in name and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


RECIPE = """
dataset_path: in.jsonl
export_path: outputs/out.jsonl
np: 1
partition: {mode: manual, num_of_partitions: 4}
checkpoint: {strategy: every_n_ops, n_ops: 2}
process:
  - whitespace_normalization_mapper: {}
  - text_length_filter: {min_len: 20}
  - document_deduplicator: {}
  - words_num_filter: {min_num: 1}
  - character_repetition_filter: {max_ratio: 1.0}
"""


def write_rows(path: Path, rows: int, repeat: int = 1) -> None:
    """Rows of which a tenth is too short and a tenth repeats another."""
    texts = ("short" if i % 10 == 9 else f"This sentence stands in row {i - i % 10 // 9 if i % 10 != 4 else i - 1}. " * repeat for i in range(rows))
    path.write_text("".join(json.dumps({"text": text, "n": i}) + "\n" for i, text in enumerate(texts)))


def command(*args: str) -> list[str]:
    """The command line of `djhost ARGS` with the installed package."""
    return [sys.executable, "-m", "djhost", *args]


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[[str], Path]:
    """Runs a job of 400 rows to its end; returns its run directory."""

    def make(job_id: str) -> Path:
        write_rows(tmp_path / "in.jsonl", 400)
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        subprocess.run(command("run", "recipe.yaml", "--job_id", job_id, "--quiet"), check=True, capture_output=True)
        return tmp_path / "outputs" / job_id

    return make


@pytest.fixture
def running_job(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    """Starts a job that takes some seconds; returns its process once it is at work."""
    started: list[subprocess.Popen[bytes]] = []

    def start(job_id: str) -> subprocess.Popen[bytes]:
        write_rows(tmp_path / "in.jsonl", 60_000, 30)
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        process = subprocess.Popen(command("run", "recipe.yaml", "--job_id", job_id, "--quiet"), stderr=subprocess.DEVNULL)
        started.append(process)
        while not at_work(tmp_path / "outputs" / job_id):
            assert process.poll() is None, "the job ended before it was seen"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def at_work(root: Path) -> bool:
    """Whether a partition of the job has begun."""
    return any(event["event_type"] == "partition_start" for event in events(root))


def events(root: Path) -> list[dict[str, Any]]:
    """The lines of the event files that are whole."""
    found = []
    for file in sorted(root.glob("events_*.jsonl")):
        for line in file.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
    return found
