"""Notebooks: the shipped one runs, and interrupting a cell stops a job gracefully."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from conftest import write_rows
from test_html import parsed

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


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
        for text in html_of(cell):
            parsed(text)
        assert not [output for output in cell.get("outputs", []) if output.output_type == "stream"], cell.source
    shown = " ".join(parsed(text).text for cell in notebook.cells for text in html_of(cell))
    for part in ("62 of 113 rows, 1 in quarantine", "document_deduplicator", "Plan"):
        assert part in shown, shown


def test_interrupting_a_cell_stops_the_job_and_says_how_to_go_on(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 60_000, 30)
    first = (
        "import djhost\n"
        "djhost.run('in.jsonl', ['whitespace_normalization_mapper', 'document_deduplicator', 'words_num_filter',\n"
        "           {'character_repetition_filter': {'max_ratio': 1.0}}], np=1, job_id='interrupted', partition__mode='manual',\n"
        "           partition__num_of_partitions=8)"
    )
    cells = [nbformat.v4.new_code_cell(text) for text in (first, "len(djhost.last_job().resume().wait())")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel():
        interrupt = threading.Thread(target=_interrupt_at_work, args=(client, tmp_path / "outputs" / "interrupted"))
        interrupt.start()
        with pytest.raises(CellExecutionError, match="JobInterrupted"):
            client.execute_cell(notebook.cells[0], 0)
        interrupt.join()
        client.execute_cell(notebook.cells[1], 1)
    [shown] = [output["data"] for output in notebook.cells[0].outputs if output.output_type != "error"]
    assert "djhost.last_job().resume().wait()" in shown["text/plain"] and "interrupted" in shown["text/plain"]
    assert "to go on" in parsed(shown["text/html"]).text
    assert int(notebook.cells[1].outputs[-1]["data"]["text/plain"]) > 0


def _interrupt_at_work(client: NotebookClient, root: Path) -> None:
    from conftest import at_work

    # Without an end: if the job is never seen, the cell ends without an error and the test fails.
    until = time.monotonic() + 240
    while not at_work(root) and time.monotonic() < until:
        time.sleep(0.01)
    client.km.interrupt_kernel()
