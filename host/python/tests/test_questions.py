"""What became of rows: `dropped`, `explain`, `report`, `compare`, `what_if` and `findings` of a result."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import djhost
from test_html import parsed

ROWS = [
    {"text": "a text of some length", "id": 7, "meta": {"url": "u0"}},
    {"text": "short", "id": 8, "meta": {"url": "u1"}},
    {"text": "a text of some length", "id": 9, "meta": {"url": "u2"}},
    {"text": "a\u2003text with\u00a0spaces", "id": 10, "meta": {"url": "ü\n3"}},
]
RECIPE = ["whitespace_normalization_mapper", {"text_length_filter": {"min_len": 10}}, "document_deduplicator"]


@pytest.fixture
def result() -> djhost.Result:
    return djhost.run(ROWS, RECIPE)


def test_dropped_rows_are_those_that_are_not_in_the_result(result: djhost.Result) -> None:
    rows = result.dropped()
    assert [(row["index"], row["op_name"], row["fate"]) for row in rows] == [
        (1, "text_length_filter", "dropped"),
        (2, "document_deduplicator", "merged"),
    ]
    assert [row["row"] for row in rows] == [ROWS[1], ROWS[2]]
    assert rows[0]["stats"] == {"text_len": 5}
    assert rows[1]["partner"] == 0
    assert len(rows) + len(result) == len(ROWS)


def test_dropped_rows_of_one_op(result: djhost.Result) -> None:
    by_name, by_number = result.dropped("document_deduplicator"), result.dropped(2)
    assert by_name == by_number == result.dropped()[1:]
    assert result.dropped("whitespace_normalization_mapper") == []


def test_questions_without_an_answer_say_what_to_do(result: djhost.Result) -> None:
    with pytest.raises(djhost.errors.QuestionError, match="no op `text_len_filter`") as caught:
        result.dropped("text_len_filter")
    assert "text_length_filter" in str(caught.value.problems[0].hint)
    with pytest.raises(djhost.errors.QuestionError, match="`11` in `id`"):
        result.explain(where={"id": 11})
    with pytest.raises(djhost.errors.QuestionError, match="names no row"):
        result.explain("row seven")
    with pytest.raises(djhost.errors.DjhostError):
        result.explain(4)
    with pytest.raises(djhost.errors.QuestionError, match="trace: dropped"):
        result.what_if({"text_length_filter.min_len": 3})
    silent = djhost.run(ROWS, RECIPE, trace="off")
    with pytest.raises(djhost.errors.QuestionError, match="trace: off"):
        silent.dropped()


def test_a_row_is_asked_for_in_one_way(result: djhost.Result) -> None:
    with pytest.raises(TypeError, match="not both"):
        result.explain(1, where={"id": 7})
    with pytest.raises(TypeError, match="row"):
        result.explain()
    with pytest.raises(ValueError, match="2 fields"):
        result.explain(where={"id": 7, "text": "x"})
    with pytest.raises(IndexError):
        result.explain(-1)


def test_an_explained_row_has_its_way_through_the_recipe(result: djhost.Result) -> None:
    explained = result.explain(1)
    assert explained.end == "gone"
    assert json.loads(explained.document["text"]) == ROWS[1]
    last = explained.steps[-1]
    assert (last["op"], last["name"], last["did"][0]["fate"]) == (1, "text_length_filter", "dropped")
    [stat] = last["did"][0]["stats"]
    assert (stat["stat"], stat["value"], stat["margin"]) == ("text_len", 5, -5)
    text = str(explained)
    assert "text_length_filter" in text and "short" in text
    assert "\x1b" not in text
    assert explained.document == result.explain(where={"id": 8}).document
    assert explained.document == result.explain(where={"meta.url": "u1"}).document


def test_the_ways_to_name_a_row_lead_to_the_same(result: djhost.Result) -> None:
    kept = [result.explain(i).end for i in range(4)]
    assert kept == ["written", "gone", "gone", "written"]
    assert repr(result.explain(3)) == "<djhost.Explained: row 3, written>"
    assert result.explain(where={"meta.url": "ü\n3"}).document == result.explain(3).document
    [changed] = [step["did"][0] for step in result.explain(3).steps if step["op"] == 0]
    assert changed["fields"][0]["after"] == "a text with spaces"


def test_rows_of_files_are_named_by_file_and_line() -> None:
    Path("in").mkdir()
    Path("in/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    result = djhost.run("in/rows.jsonl", RECIPE, job_id="named")
    [first, _] = result.dropped()
    assert "index" not in first
    explained = result.explain("in/rows.jsonl:2")
    assert explained.end == "gone"
    assert explained.place.endswith("in/rows.jsonl:2")
    assert explained.document == result.explain(first["row_id"]).document


def test_this_process_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    result = djhost.run("rows.jsonl", RECIPE, job_id="here", work_dir=tmp_path / "jobs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    # A file of the name of a module must play no part.
    (elsewhere / "json.py").write_text("raise SystemExit('read')")
    assert len(result.dropped()) == 2
    assert result.explain(where={"id": 8}).end == "gone"
    assert Path(os.getcwd()) == elsewhere
    assert [path.name for path in elsewhere.iterdir()] == ["json.py"]


@pytest.mark.parametrize("kind", ["pyarrow", "pandas", "polars", "iterator"])
def test_rows_of_tables_are_counted(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    flat = [{"text": row["text"], "id": row["id"]} for row in ROWS]
    data: Any = {
        "pyarrow": lambda: pa.Table.from_pylist(flat),
        "pandas": lambda: pa.Table.from_pylist(flat).to_pandas(),
        "polars": lambda: pytest.importorskip("polars").DataFrame(flat),
        "iterator": lambda: iter(flat),
    }[kind]()
    result = djhost.run(data, RECIPE)
    rows = result.dropped()
    assert [row["index"] for row in rows] == [1, 2]
    assert [row["row"]["id"] for row in rows] == [8, 9]
    assert result.explain(2).end == "gone"
    assert result.explain(2).document["row"] == result.explain(where={"id": 9}).document["row"]


def test_splits_are_asked_one_by_one() -> None:
    datasets = pytest.importorskip("datasets")
    flat = [{"text": row["text"], "id": row["id"]} for row in ROWS]
    data = datasets.DatasetDict(train=datasets.Dataset.from_list(flat), test=datasets.Dataset.from_list(flat[:2]))
    result = djhost.run(data, RECIPE)
    assert isinstance(result, djhost.SplitResult)
    assert [(row["split"], row["index"]) for row in result.dropped()] == [("train", 1), ("train", 2), ("test", 1)]
    with pytest.raises(djhost.errors.QuestionError, match="one for each split") as caught:
        result.explain(1)
    assert "result.splits['train']" in str(caught.value)
    assert result.splits["test"].explain(1).end == "gone"


def test_findings_say_what_deserves_a_look() -> None:
    result = djhost.run(ROWS, [{"text_length_filter": {"min_len": 1}}])
    assert any(found.get("op") == 0 for found in result.findings), result.findings


def test_the_page_is_a_file_of_its_own(result: djhost.Result, tmp_path: Path) -> None:
    report = result.report()
    assert report.html.startswith("<!doctype html>")
    path = report.path
    assert tmp_path not in path.parents
    del report
    assert not path.exists()
    named = result.report("page.html")
    assert named.path == Path("page.html")
    assert result.report("page.html").html
    Path("mine.html").write_text("mine")
    with pytest.raises(djhost.errors.QuestionError, match="no page"):
        result.report("mine.html")


def test_the_page_in_a_notebook_can_run_its_own_script_only(result: djhost.Result) -> None:
    from html.parser import HTMLParser

    seen: list[tuple[str, dict[str, Any]]] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
            seen.append((tag, dict(attrs)))

    report = result.report()
    Tags().feed(report._repr_html_())
    [(tag, attributes)] = seen
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == report.html
    assert "Content-Security-Policy" in attributes["srcdoc"]


def test_two_jobs_on_one_page(result: djhost.Result) -> None:
    other = djhost.run(ROWS, [{"text_length_filter": {"min_len": 20}}])
    page = result.compare(other).html
    jobs = json.loads(page.split('id="data">', 1)[1].split("</script>", 1)[0])["jobs"]
    assert [len(job["ops"]) for job in jobs] == [3, 1]


def test_what_if_is_what_a_rerun_keeps() -> None:
    rows = [{"text": "word " * (n % 23) + "x" * (n % 7)} for n in range(200)]

    def recipe(min_len: int, min_num: int) -> list[Any]:
        return [{"text_length_filter": {"min_len": min_len}}, {"words_num_filter": {"min_num": min_num}}]

    result = djhost.run(rows, recipe(10, 3), trace="stats")
    for min_len, min_num in [(30, 3), (10, 12), (40, 9), (60, 11)]:
        found = result.what_if({"text_length_filter.min_len": min_len, "words_num_filter": {"min_num": min_num}})
        assert found.estimate == []
        assert int(found) == found.stay == len(djhost.run(rows, recipe(min_len, min_num)))
        assert (found.rows, found.stay_now) == (200, len(result))
    # Rows come back that the second filter has not seen.
    looser = result.what_if({"text_length_filter.min_len": 0})
    assert looser.estimate and "words_num_filter" not in looser.estimate[0]
    assert looser.stay >= len(djhost.run(rows, recipe(0, 3)))


def test_what_if_before_a_deduplicator_is_an_estimate() -> None:
    result = djhost.run(ROWS, RECIPE, trace="stats")
    found = result.what_if({"text_length_filter.min_len": 19})
    assert "document_deduplicator" in found.estimate[0]
    assert "estimate" in str(found)


def test_a_threshold_must_be_there() -> None:
    result = djhost.run(ROWS, RECIPE, trace="stats")
    with pytest.raises(djhost.errors.QuestionError, match="no threshold") as caught:
        result.what_if({"text_length_filter.min_length": 3})
    assert "text_length_filter.min_len" in str(caught.value.problems[0].hint)
    with pytest.raises(djhost.errors.QuestionError, match="no number"):
        result.what_if({"text_length_filter.min_len": "3"})  # type: ignore[dict-item]


def test_answers_in_a_notebook_are_text() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    rows = [{"text": hostile, "id": hostile}, {"text": "a\u2003b", "id": "b"}]
    result = djhost.run(rows, RECIPE, trace="stats")
    assert hostile in parsed(result.explain(0)._repr_html_()).text
    parsed(result.explain(1)._repr_html_())
    parsed(result.what_if({"text_length_filter.min_len": 3})._repr_html_())
    parsed(result.report()._repr_html_())
