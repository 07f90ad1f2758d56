"""The line of progress."""

from __future__ import annotations

import io
from typing import Any

import pytest

from djhost import _progress
from test_html import parsed


def progress(**changes: Any) -> dict[str, Any]:
    op = {"operation_idx": 3, "operation_name": "words_num_filter"}
    part = {"state": "processing", "fraction": 0.25, "current_op": op}
    base = {
        "status": "running",
        "fraction": 0.42,
        "rows": {"total": 4000, "read": 1200, "output": 900, "quarantined": 0},
        "rates": {"rows_per_second": 3456.7},
        "eta_seconds": 61.2,
        "duration": 2.0,
        "partition": [part, {**part, "fraction": 0.9, "current_op": {"operation_idx": 0, "operation_name": "first"}}],
    }
    return {**base, **changes}


def test_a_line_says_op_rows_speed_and_time_left() -> None:
    line = _progress.text_line(progress(), 120)
    assert line == " 42%|████▏     | op 3 words_num_filter · 1,200 of 4,000 rows · 3,457 rows/s · 1:01 to go"
    assert len(_progress.text_line(progress(), 40)) == 40
    shown = parsed(_progress.html_line(progress())).text
    assert "op 3 words_num_filter" in shown and "42 %" in shown


def test_the_end_is_told() -> None:
    done = progress(status="completed", fraction=1.0, eta_seconds=None, partition=[], rows={"total": 4000, "read": 4000, "output": 900, "quarantined": 2})
    assert _progress.said(done) == "completed · 4,000 rows · 900 out · 2 in quarantine · 2.0 s"
    assert _progress.text_line(done, 120).startswith("100%|██████████|")


def test_a_terminal_line_is_written_over() -> None:
    stream = io.StringIO()
    display = _progress.TerminalDisplay(stream)
    display.update(progress())
    display.update(progress(fraction=0.5))
    display.close(progress(status="completed", fraction=1.0))
    lines = stream.getvalue().split("\r\x1b[K")
    assert lines[0] == "" and len(lines) == 4 and lines[3].endswith("\n")


def test_what_is_shown_depends_on_where() -> None:
    assert type(_progress.display_for("auto")) is _progress.Display, "tests have no terminal"
    assert type(_progress.display_for(False)) is _progress.Display
    assert isinstance(_progress.display_for("terminal"), _progress.TerminalDisplay)
    with pytest.raises(ValueError, match="valid are True, False, 'auto'"):
        _progress.display_for("bar")


def test_clocks() -> None:
    assert [_progress.clock(s) for s in (0, 6.6, 60, 3723)] == ["0:00", "0:07", "1:00", "1:02:03"]
