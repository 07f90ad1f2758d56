"""What the tests share. They test the installed package: see `CONTRIBUTING.md`."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable

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
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in a directory of its own, and registers no job with the user's."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in list(os.environ):
        if name.startswith(("DJHOST_", "DJ_PROCESS_")) and name != "DJHOST_CACHE_DIR":
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
        pytest.skip(f"`{PLUGIN}` is not built: run `cargo test` once")
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
