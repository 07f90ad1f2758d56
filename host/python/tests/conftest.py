"""What the tests share: a directory of its own for each test, and jobs to look at. They test the installed package."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

# Operators of somebody else: `cargo test` builds them.
PLUGIN = REPOSITORY / "target/guests/wasm32-wasip2/release/djhost_rust_examples.wasm"

# Some seconds of work on one thread, in many batches.
SLOW_RECIPE: list[Any] = [
    "fix_unicode_mapper",
    "whitespace_normalization_mapper",
    "punctuation_normalization_mapper",
    "clean_email_mapper",
    "clean_links_mapper",
    "remove_repeat_sentences_mapper",
    "character_repetition_filter",
    "word_repetition_filter",
]


@pytest.fixture(autouse=True)
def own_directory(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test works in a directory of its own, and registers no job with the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in list(os.environ):
        if name.startswith(("DJHOST_", "DJ_PROCESS_")) and not any(part in name for part in ("CACHE", "TEST")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def slow_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose rows take some seconds with `SLOW_RECIPE`."""
    path = tmp_path_factory.mktemp("slow") / "rows.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for i in range(30_000):
            words = " ".join(f"word{(i * 7 + k * k) % 977} of, sentence {k}." for k in range(30))
            file.write(f'{{"text": "{words}", "id": {i}}}\n')
    return path


@pytest.fixture
def plugin() -> Path:
    """A component with operators that do not come with djhost."""
    if not PLUGIN.is_file():
        pytest.fail(f"`{PLUGIN}` is not built: run `cargo test` once")
    return PLUGIN


@pytest.fixture
def python() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a program in a Python of its own."""

    def run(program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


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
def running_job(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts a job that takes some seconds, over JSON lines or Parquet; returns its process once it is at work."""
    started: list[subprocess.Popen[bytes]] = []

    def start(job_id: str, data: str = "in.jsonl") -> subprocess.Popen[bytes]:
        write_rows(tmp_path / "in.jsonl", 60_000, 30)
        if data != "in.jsonl":
            import pyarrow.json
            import pyarrow.parquet

            table = pyarrow.json.read_json(tmp_path / "in.jsonl")
            pyarrow.parquet.write_table(table, tmp_path / data, row_group_size=5_000)
        (tmp_path / "recipe.yaml").write_text(RECIPE.replace("in.jsonl", data))
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
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found
