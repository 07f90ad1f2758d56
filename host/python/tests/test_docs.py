"""The examples of docstrings and of the README run."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import djhost

README = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
ROOT_README = (Path(__file__).resolve().parents[3] / "README.md").read_text("utf-8")

#: Every module of the package but the one that is the command.
MODULES = ["djhost", *(m.name for m in pkgutil.walk_packages(djhost.__path__, "djhost.") if not m.name.endswith(("__main__", "_djhost")))]


@pytest.fixture
def names() -> dict[str, Any]:
    """What examples may use: the package, and a job `docs` that is complete."""
    rows = [{"text": f"A sentence that is long enough, number {i}."} for i in range(20)]
    Path("data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = [{"text_length_filter": {"min_len": 5}}]
    result = djhost.run("data.jsonl", recipe, work_dir="jobs", job_id="docs")
    return {"djhost": djhost, "job_id": "docs", "work_dir": "jobs", "data": "data.jsonl", "rows": rows, "recipe": recipe, "result": result}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str, names: dict[str, Any]) -> None:
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=flags)
    said: list[str] = []
    for test in finder.find(module, name, globs={**vars(module), **names}):
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_there_are_examples() -> None:
    count = sum(len(test.examples) for name in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(name)))
    assert count > 40


def test_the_blocks_of_the_readme_run() -> None:
    Path("data").mkdir()
    for path in ("data/a.jsonl", "data.jsonl"):
        Path(path).write_text('{"text": "A sentence that is long enough to stay, with many words."}\n')
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 5
    (work,) = [block for block in blocks if "djhost_sdk" in block]
    for block in blocks:
        if block is not work:
            exec(block, names)


def test_the_three_lines_of_the_first_page_run(names: dict[str, Any]) -> None:
    root = Path(__file__).resolve().parents[3]
    Path("configs").symlink_to(root / "configs")
    (block,) = re.findall(r"```python\n(.*?)```", ROOT_README, re.DOTALL)
    assert len(block.strip().splitlines()) == 3
    exec(block, names)
