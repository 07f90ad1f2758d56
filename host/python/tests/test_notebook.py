"""Notebooks: the shipped one runs, and interrupting a cell stops a job gracefully."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from conftest import at_work, write_rows
from test_html import parsed
from test_source import load

CONFIGS = Path(__file__).resolve().parents[3] / "configs"

#: What is seen in the shipped notebooks.
SHOWN = {
    "quickstart": ["62 of 113 rows, 1 in quarantine", "document_deduplicator", "Plan"],
    "own_operators": ["20 of 113 rows, 1 in quarantine", "The least number.", '{"sentences": 5}'],
}


def html_of(cell: Any) -> list[str]:
    """The outputs of a cell as HTML."""
    return [output["data"]["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]


@pytest.mark.parametrize("path", sorted((CONFIGS / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_shipped_notebook_runs(path: Path, tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells), "it is kept without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path / "configs" / path.parent.name)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for text in html_of(cell):
            parsed(text)
        assert not [output for output in cell.outputs if output.output_type == "stream"], cell.source
    shown = " ".join(parsed(text).text for cell in notebook.cells if cell.cell_type == "code" for text in html_of(cell))
    for part in SHOWN[path.stem]:
        assert part in shown, shown


def test_interrupting_a_cell_stops_the_job_and_says_how_to_go_on(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 60_000, 30)
    first = (
        "import djhost\n"
        "djhost.run('in.jsonl', ['whitespace_normalization_mapper', 'document_deduplicator', 'words_num_filter',\n"
        "           {'character_repetition_filter': {'max_ratio': 1.0}}], np=1, job_id='interrupted', partition__mode='manual',\n"
        "           partition__num_of_partitions=8)"
    )
    texts = ("import os; os.getpid()", first, "len(djhost.last_job().resume().wait())")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in texts])
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        kernel = int(notebook.cells[0].outputs[0]["data"]["text/plain"])
        interrupt = threading.Thread(target=_interrupt_at_work, args=(kernel, tmp_path / "outputs" / "interrupted"))
        interrupt.start()
        with pytest.raises(CellExecutionError, match="JobInterrupted"):
            client.execute_cell(notebook.cells[1], 1)
        interrupt.join()
        client.execute_cell(notebook.cells[2], 2)
    [shown] = [output["data"] for output in notebook.cells[1].outputs if output.output_type != "error"]
    assert "djhost.last_job().resume().wait()" in shown["text/plain"] and "interrupted" in shown["text/plain"]
    assert "to go on" in parsed(shown["text/html"]).text
    [error] = [output for output in notebook.cells[1].outputs if output.output_type == "error"]
    assert error.traceback == ["JobInterrupted: job `interrupted` is stopped"]
    assert int(notebook.cells[2].outputs[-1]["data"]["text/plain"]) > 0


def _interrupt_at_work(kernel: int, root: Path) -> None:
    # Without an end: if the job is never seen, the cell ends without an error and the test fails.
    until = time.monotonic() + 240
    while not at_work(root) and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(kernel, signal.SIGINT)


def test_operators_of_cells_are_gathered_with_what_they_use(tmp_path: Path) -> None:
    cells = [
        "import re\nfrom collections import Counter\nfrom dataclasses import dataclass\nimport djhost_sdk\nfrom djhost_sdk import Param\nfrom typing import Annotated",
        "MARKS = re.compile('[?]')\n\n@dataclass\nclass Limits:\n    least: int = 1\n    most: int = 5",
        "def count(text):\n    return Counter(MARKS.findall(text))['?']",
        "@djhost_sdk.filter\ndef cell_filter(text: str, *, limits: Limits) -> bool:\n    'Old.'\n    return False",
        "@djhost_sdk.filter\ndef cell_filter(text: str, *, limits: Limits) -> bool:\n"
        "    'Keeps texts with a number of question marks.'\n    return limits.least <= count(text) <= limits.most",
        "%time 1 + 1",
        "from djhost._source import module_of\nprint(module_of([cell_filter]))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    source = "".join(output["text"] for output in notebook.cells[-1].outputs if output.get("name") == "stdout")
    assert "Old." not in source and "Annotated" not in source
    names = load(tmp_path, source, "gathered")
    kept = [text for text in ("a", "a?", "?" * 6) if names["cell_filter"](text, limits=names["Limits"]())]
    assert kept == ["a?"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("djhost.ops.text_le", "text_length_filter"),
        ("djhost.ops.text_length_filter(mi", "min_len="),
        ("chain.text_le", "text_length_filter"),
        ("chain.text_length_filter(max", "max_len="),
        ("djhost.re", "read"),
    ],
)
def test_tab_completes_operators_and_their_parameters(typed: str, completed: str) -> None:
    program = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\nfrom IPython.core.completer import provisionalcompleter\n"
        "shell = InteractiveShell.instance()\nshell.run_cell(\"import djhost; chain = djhost.read('data.jsonl')\")\n"
        "with provisionalcompleter():\n    print(*(c.text for c in shell.Completer.completions(sys.argv[1], len(sys.argv[1]))), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, typed], capture_output=True, text=True)
    assert completed in done.stdout.splitlines(), done.stdout + done.stderr
