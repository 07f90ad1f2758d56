"""The line of progress, and where it is shown."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import djhost
from djhost import _html, _progress
from djhost._notebook import NotebookLine
from test_html import parsed

LIVE: dict[str, Any] = {
    "bytes_read": 50,
    "bytes": 200,
    "rows": 1200,
    "quarantined": 2,
    "op": 3,
    "op_name": "words_num_filter",
    "partitions_done": 0,
    "partitions": 2,
    "seconds": 4.0,
    "goes_on": False,
}


class Shown:
    """Stands for what IPython shows: the bundles in the order in which they replaced each other."""

    def __init__(self) -> None:
        self.bundles: list[dict[str, str]] = []

    def __call__(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> Shown:
        assert raw and display_id
        self.bundles.append(bundle)
        return self

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.bundles.append(bundle)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """This process is the kernel of a notebook."""
    shown = Shown()
    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    display: Any = types.ModuleType("IPython.display")
    display.display = shown
    ipython.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_a_notebook_shows_one_line_that_is_replaced(notebook: Shown) -> None:
    job = djhost.start([{"text": "a text"}], ["whitespace_normalization_mapper"])
    line = _progress.display(job, "auto")
    assert isinstance(line, NotebookLine)
    line.update(LIVE)
    line.update({**LIVE, "bytes_read": 100})
    job.wait()
    line.close()
    first, second, last = notebook.bundles
    for part in ("words_num_filter", "1,200 rows", "300 rows/s", "to go", "2 in quarantine"):
        assert part in first["text/plain"] and part in parsed(first["text/html"]).text
    assert "50 %" in second["text/plain"] and "width:50.0%" in second["text/html"]
    assert last["text/plain"].startswith("completed: 1 rows read, 1 left, ")


def test_a_job_that_was_quick_leaves_nothing_behind(notebook: Shown) -> None:
    djhost.run([{"text": "a text"}], ["whitespace_normalization_mapper"], progress=False)
    assert notebook.bundles == []


def test_a_job_that_was_stopped_says_how_to_go_on(notebook: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    job = djhost.start([{"text": "a text"}], ["whitespace_normalization_mapper"])
    job.wait()
    monkeypatch.setattr(type(job), "status", property(lambda self: "stopped"))
    _progress.display(job, "auto").close()
    [bundle] = notebook.bundles
    assert "djhost.last_job().resume().wait()" in bundle["text/plain"]
    assert "djhost.last_job().resume().wait()" in parsed(bundle["text/html"]).text
    assert "djhost.last_job().resume().wait()" in parsed(job._repr_html_()).text


def test_elsewhere_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    result = djhost.run([{"text": "a text"}], ["whitespace_normalization_mapper"])
    assert len(result) == 1 and capsys.readouterr() == ("", "")
    with pytest.raises(ValueError, match="give 'auto', True, False, or a function"):
        djhost.run([{"text": "a text"}], ["whitespace_normalization_mapper"], progress="bar")  # type: ignore[arg-type]


def test_there_may_be_no_last_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("djhost._job._last_ended", None)
    with pytest.raises(djhost.errors.JobNotFound, match="no job of this process"):
        djhost.last_job()


def test_names_of_operators_are_text() -> None:
    assert "<b>" in parsed(_html.page(_html.progress_line(0.5, "<b>op"))).text
