"""`djhost.analyze`: stats, suggested bounds, and what other thresholds would keep."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import djhost
from test_html import parsed

ROWS = [{"text": "word " * n, "lang": "en" if n % 3 else "de"} for n in range(1, 101)]
RECIPE: list[Any] = [
    {"text_length_filter": {"min_len": 100}},
    "document_deduplicator",
    {"words_num_filter": {"min_num": 30, "max_num": 90}},
]


def test_every_filter_judges_every_row() -> None:
    analysis = djhost.analyze(ROWS, RECIPE)
    assert [(stat["name"], stat["key"], stat["count"]) for stat in analysis.stats] == [
        ("text_length_filter", "text_len", 100),
        ("words_num_filter", "num_words", 100),
    ]
    assert analysis.rows == 100
    lengths = analysis.stats[0]
    assert (lengths["min"], lengths["max"], lengths["kept"]) == (5, 500, 81)
    assert lengths["mean"] == pytest.approx(252.5)
    assert analysis.kept_by_all == 61
    assert analysis.document["trace"] and analysis.document["analysis"]["overlap"]["ops"]
    assert repr(analysis) == "<djhost.Analysis: 2 stats of 100 rows, 61 kept by all>"


def test_without_a_recipe_all_filters_of_texts_are_taken() -> None:
    analysis = djhost.analyze(ROWS)
    names = {stat["name"] for stat in analysis.stats}
    assert {"text_length_filter", "words_num_filter", "special_characters_filter"} <= names
    assert {suggestion["name"] for suggestion in analysis.suggestions} <= names


def test_suggested_bounds_keep_the_share_that_is_wanted() -> None:
    analysis = djhost.analyze(ROWS, RECIPE, keep=80)
    for suggestion in analysis.suggestions:
        assert suggestion["share"] >= 0.8
        alone = djhost.run(ROWS, [{suggestion["name"]: suggestion["params"]}])
        assert len(alone) == suggestion["rows"]
    recipe = analysis.recipe()
    assert [op.name for op in recipe] == ["text_length_filter", "document_deduplicator", "words_num_filter"]
    assert recipe[0].params == analysis.suggestions[0]["params"]
    assert len(djhost.run(ROWS, recipe)) >= 60


def test_the_recipe_of_the_caller_stays_as_it_is(tmp_path: Path) -> None:
    recipe = djhost.Recipe([{"text_length_filter": {"min_len": 3}}, {"text_length_filter": {"max_len": 400}}], {"np": 1})
    recipe.save("recipe.yaml")
    of_file = djhost.analyze(ROWS, "recipe.yaml", keep=90).recipe()
    of_object = djhost.analyze(ROWS, recipe, keep=90).recipe()
    assert of_file == of_object
    assert of_object.options == {"np": 1}
    assert list(of_object[0].params) == ["min_len"] and list(of_object[1].params) == ["max_len", "min_len"]
    assert recipe[0].params == {"min_len": 3}
    # Neither a run directory nor a result is left.
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "state") == ["recipe.yaml"]


def test_what_if_is_what_a_run_keeps() -> None:
    chance = random.Random(7)
    rows = [{"text": "word " * chance.randrange(60) + "x" * chance.randrange(30)} for _ in range(300)]

    def recipe(min_len: float, max_num: float, repeated: float) -> list[Any]:
        return [
            {"text_length_filter": {"min_len": min_len}},
            {"words_num_filter": {"min_num": 1, "max_num": max_num}},
            {"special_characters_filter": {"max_ratio": repeated}},
        ]

    analysis = djhost.analyze(rows, recipe(50, 50, 0.3))
    for _ in range(20):
        min_len, max_num, ratio = chance.randrange(200), chance.randrange(1, 60), round(chance.random() / 2, 3)
        found = analysis.what_if(
            {"text_length_filter.min_len": min_len, "words_num_filter.max_num": max_num, "special_characters_filter.max_ratio": ratio}
        )
        assert found.estimate == []
        assert (found.rows, found.stay_now) == (300, analysis.kept_by_all)
        assert found.stay == len(djhost.run(rows, recipe(min_len, max_num, ratio))), (min_len, max_num, ratio)
    no_bounds = {"text_length_filter.min_len": None, "words_num_filter.min_num": None, "words_num_filter.max_num": None}
    assert analysis.what_if({**no_bounds, "special_characters_filter.max_ratio": 1}).stay == 300


def test_what_if_can_be_asked_at_once() -> None:
    analysis = djhost.analyze(ROWS, RECIPE, what_if={"text_length_filter.min_len": 200})
    assert analysis.answer == analysis.what_if({"text_length_filter": {"min_len": 200}})
    assert analysis.answer is not None and analysis.answer.stay == 51
    assert djhost.analyze(ROWS, RECIPE).answer is None


def test_stats_by_a_field() -> None:
    analysis = djhost.analyze(ROWS, RECIPE, by="lang")
    assert analysis.groups is not None
    assert [(group["value"], group["rows"]) for group in analysis.groups["groups"]] == [("en", 67), ("de", 33)]
    with pytest.raises(djhost.errors.QuestionError, match="no row has the field `language`"):
        djhost.analyze(ROWS, RECIPE, by="language")


def test_a_sample_of_the_rows() -> None:
    analysis = djhost.analyze(ROWS * 10, RECIPE, sample=0.2)
    assert 100 < analysis.rows < 300
    found = analysis.what_if({"text_length_filter.min_len": 0, "words_num_filter.min_num": 0, "words_num_filter.max_num": None})
    assert found.stay == found.rows == analysis.rows


@pytest.mark.parametrize("arguments", [{"keep": 0}, {"keep": 101}, {"sample": 0}, {"sample": 1.5}])
def test_shares_are_checked_before_any_work(arguments: dict[str, float]) -> None:
    with pytest.raises(djhost.errors.QuestionError, match="is not valid"):
        djhost.analyze(iter([]), RECIPE, **arguments)  # type: ignore[arg-type]


def test_mistakes_are_those_of_a_run() -> None:
    with pytest.raises(djhost.errors.RecipeError, match="min_length"):
        djhost.analyze(ROWS, [{"text_length_filter": {"min_length": 3}}])
    with pytest.raises(djhost.errors.RecipeError, match="no filter"):
        djhost.analyze(ROWS, ["document_deduplicator"])


@pytest.mark.parametrize("kind", ["path", "pyarrow", "pandas", "polars", "datasets", "iterator"])
def test_data_as_for_run(kind: str, tmp_path: Path) -> None:
    if kind == "path":
        Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        data: Any = "rows.jsonl"
    elif kind == "iterator":
        data = iter(ROWS)
    else:
        table = pytest.importorskip("pyarrow").Table.from_pylist(ROWS)
        package = pytest.importorskip(kind)
        data = {
            "pyarrow": lambda: table,
            "pandas": lambda: table.to_pandas(),
            "polars": lambda: package.DataFrame(ROWS),
            "datasets": lambda: package.Dataset.from_list(ROWS),
        }[kind]()
    analysis = djhost.analyze(data, RECIPE, by="lang")
    assert (analysis.rows, analysis.kept_by_all) == (100, 61)
    assert analysis.explain(where={"lang": "de"}).steps


def test_a_named_analysis_stays_and_is_continued() -> None:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    first = djhost.analyze("rows.jsonl", RECIPE, job_id="look", work_dir="jobs")
    assert first.result.run_dir.samefile("jobs/look")
    again = djhost.analyze("rows.jsonl", RECIPE, job_id="look", work_dir="jobs")
    assert again.stats == first.stats


def test_it_can_be_looked_at() -> None:
    analysis = djhost.analyze(ROWS, RECIPE, by="lang", what_if={"text_length_filter.min_len": 200})
    html = analysis._repr_html_()
    for text in ("text_len", "min_len=", "61", "By lang", "Other thresholds"):
        assert text in html
    assert analysis.report().html.startswith("<!doctype html>")
    hostile = "<script>alert(1)</script>"
    shown = djhost.analyze([{"text": "a text", "by": hostile}], RECIPE, by="by")._repr_html_()
    assert hostile in parsed(shown).text
