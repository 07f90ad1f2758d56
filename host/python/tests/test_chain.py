"""Chains, operators and recipes as what `djhost.run` takes."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import djhost
from djhost.errors import ParameterError
from test_html import HOSTILE, parsed

ROWS = [{"text": "see https://example.org/a now"}, {"text": "no"}, {"text": "long enough"}]


def test_a_chain_runs_its_operators() -> None:
    chain = djhost.read(ROWS).clean_links_mapper().text_length_filter(min_len=9)
    assert chain.run().to_list() == [{"text": "long enough"}]
    assert chain.recipe() == [{"clean_links_mapper": {}}, {"text_length_filter": {"min_len": 9}}]
    assert [op["operation_name"] for op in chain.plan().document["operations"]] == ["clean_links_mapper", "text_length_filter"]
    assert chain.check() == []


def test_a_chain_never_changes() -> None:
    base = djhost.read(ROWS, np=1)
    first, second = base.text_length_filter(min_len=20), base.text_length_filter(min_len=5)
    assert [len(chain.run()) for chain in (base, first, second)] == [3, 1, 2]
    longer = first.then("clean_links_mapper", {"clean_email_mapper": {}}, djhost.ops.clean_ip_mapper())
    assert [op.name for op in longer.recipe()][1:] == ["clean_links_mapper", "clean_email_mapper", "clean_ip_mapper"]
    assert len(first.recipe()) == 1


def test_methods_have_signatures_and_are_completed() -> None:
    chain = djhost.read(ROWS)
    assert "text_length_filter" in dir(chain) and "run" in dir(chain)
    signature = inspect.signature(chain.text_length_filter)
    assert signature.parameters["min_len"].default == 10 and signature.return_annotation is djhost.Chain
    with pytest.raises(ParameterError, match="did you mean `min_len`"):
        chain.text_length_filter(min_lne=3)
    with pytest.raises(AttributeError, match="did you mean `text_length_filter`"):
        chain.text_lenght_filter
    with pytest.raises(AttributeError, match="no operator or method `runn`; did you mean `run`"):
        chain.runn()
    with pytest.raises(TypeError, match="chain.run"):
        list(chain)


def test_options_of_a_chain(tmp_path: Path) -> None:
    chain = djhost.read(ROWS).text_length_filter(min_len=5).options(export_path="out.jsonl", job_id="chained")
    result = chain.run()
    assert (result.path.name, result.job_id) == ("out.jsonl", "chained")
    assert chain.options(job_id="other").start().wait().job_id == "other"


def test_a_chain_shows_its_plan() -> None:
    chain = djhost.read(ROWS).text_length_filter(min_len=5)
    shown = repr(chain)
    assert "djhost.read(<builtins.list of 3 rows>)" in shown and ".text_length_filter(min_len=5)" in shown
    for part in ("min_len=5 max_len=unlimited", "partitions 1", "reads `text`"):
        assert part in shown
    assert "text_length_filter" in parsed(chain._repr_html_()).text
    wrong = djhost.read("nowhere.jsonl").text_length_filter()
    assert "no plan" in repr(wrong) and "nowhere.jsonl" in parsed(wrong._repr_html_()).text


def test_recipes_and_ops_stand_wherever_a_recipe_does(tmp_path: Path) -> None:
    op = djhost.ops.text_length_filter(min_len=9)
    recipe = djhost.Recipe.from_list([op], keep_stats_in_res_ds=True)
    for given in ([op], op, recipe, recipe.to_dict(), iter([op])):
        assert len(djhost.run(ROWS, given)) == 2
    for uncalled in ([djhost.ops.text_length_filter], djhost.ops.text_length_filter, djhost.Recipe([djhost.ops.text_length_filter])):
        assert len(djhost.run(ROWS, uncalled)) == 2
    kept = djhost.run(ROWS, recipe).to_list()
    assert kept[1]["__dj__stats__"] == {"text_len": 11}
    assert op(ROWS).to_list() == ROWS[::2]
    assert [op["operation_name"] for op in djhost.plan(ROWS, recipe).document["operations"]] == ["text_length_filter"]
    assert djhost.check(recipe) == []
    [problem] = djhost.check(djhost.Recipe([{"text_length_filter": {"min_len": "many"}}]))
    assert problem.path == "process[0].text_length_filter.min_len"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_rows_are_shown_as_text(text: str) -> None:
    result = djhost.run([{"text": text, text.replace("\x00", ""): {"a": text}}], ["whitespace_normalization_mapper"])
    shown = parsed(result._repr_html_())
    assert shown.text.count(text) >= 1


def test_a_result_shows_its_funnel_and_ten_rows() -> None:
    rows = [{"text": f"row {i} is long enough", "i": i} for i in range(25)] + [{"text": "no", "i": 25}]
    shown = parsed(djhost.run(rows, [djhost.ops.text_length_filter(min_len=5)])._repr_html_()).text
    for part in ("25 of 26 rows", "text_length_filter", "-1", "row 9 is long enough", "the first 10 of 25 rows"):
        assert part in shown, shown
    assert "row 10 is" not in shown


def test_splits_have_a_funnel_each() -> None:
    import datasets

    splits = datasets.DatasetDict({name: datasets.Dataset.from_list(ROWS) for name in ("train", "test")})
    result = djhost.read(splits).text_length_filter(min_len=5).run()
    shown = parsed(result._repr_html_()).text
    for part in ("4 of 6 rows", "train", "test"):
        assert part in shown, shown
    assert shown.count("text_length_filter") == 2
