"""Recipes in memory and in files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import djhost
from conftest import command
from djhost.errors import RecipeError

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_a_list_of_ops_with_options() -> None:
    recipe = djhost.Recipe.from_list(["clean_links_mapper", {"text_length_filter": {"min_len": 5}}], np=2)
    recipe.append(djhost.ops.words_num_filter(min_num=1))
    recipe.insert(0, {"clean_email_mapper": None})
    assert [op.name for op in recipe] == ["clean_email_mapper", "clean_links_mapper", "text_length_filter", "words_num_filter"]
    assert recipe[2].params == {"min_len": 5} and recipe[-1] == {"words_num_filter": {"min_num": 1}}
    recipe[0] = "clean_ip_mapper"
    del recipe[1]
    assert len(recipe) == 3 and recipe[1:].options == {"np": 2}
    assert {"clean_ip_mapper": {}} in recipe
    assert recipe + ["clean_email_mapper"] == djhost.Recipe([*recipe, "clean_email_mapper"], {"np": 2})
    other = recipe.copy()
    other[1].params["min_len"] = 6
    other.options["np"] = 4
    assert (recipe[1].params["min_len"], recipe.options) == (5, {"np": 2})
    assert recipe.to_dict()["process"][1] == {"text_length_filter": {"min_len": 5}}
    assert djhost.Recipe(["a_mapper"]) == [{"a_mapper": {}}]


@pytest.mark.parametrize("entry", [3, {"a": {}, "b": {}}, {"a": [1]}, {}, None], ids=repr)
def test_what_is_no_operator_is_refused(entry: Any) -> None:
    with pytest.raises(RecipeError, match=r"process\[1\]"):
        djhost.Recipe(["clean_links_mapper", entry])


def test_a_text_is_no_list() -> None:
    with pytest.raises(RecipeError, match="a recipe is a list of operators"):
        djhost.Recipe("recipe.yaml")
    with pytest.raises(RecipeError, match="process"):
        djhost.Recipe([], {"process": []})


#: Values that a writer of YAML is likely to get wrong.
HARD = [
    None, True, False, 0, -1, 9007199254740993, 18446744073709551615, -9223372036854775808, 0.1, 1.0, -0.0, 1e20, 1e-7, 1e300, 5e-324,
    "", " ", "yes", "No", "null", "~", "1", "1.0", "1e3", "0x1F", "0o7", "012", "2001-01-01", ".inf", ".NaN", "=", "<<", "a: b", "a #b",
    "- a", "'", '"', "\\", "a\nb\n", "\t", "\r\n", "\x00\x07\x1b\x7f\x85", "\u2028\ufeff", "語 é 🙂", "%x", "@a", "`a`", "!tag", "&a", "*a",
    "{a}", "[b]", "a,b", "?", ":", "-", "--- ", "...", "end.", "trailing ", "C:\\dir", "/data/in put.jsonl", "~/x", "a/b.c-d_e",
    [], {}, [[]], [{}], {"a": {}}, [1, [2, [3]]], {"yes": {"no": {"": [None, "x: y"]}}}, {"1": "one", "a b": {"c:": 1}},
]  # fmt: skip


def test_nothing_is_lost_between_memory_and_file(tmp_path: Path) -> None:
    options: dict[str, Any] = {"np": 2, "values": HARD, **{f"option_{i}": value for i, value in enumerate(HARD)}}
    ops = [{f"op_{i}_mapper": {"value": value, "list": [value]}} for i, value in enumerate(HARD)]
    recipe = djhost.Recipe(ops, options)
    recipe.save(tmp_path / "r.yaml")
    loaded = djhost.Recipe.load(tmp_path / "r.yaml")
    for ours, theirs in zip(loaded, recipe):
        assert json.dumps(ours) == json.dumps(theirs)
    assert json.dumps(loaded.to_dict()) == json.dumps(recipe.to_dict())
    assert loaded == recipe and loaded.to_yaml() == recipe.to_yaml()


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_survive(path: Path, tmp_path: Path) -> None:
    recipe = djhost.Recipe.load(path)
    recipe.save(tmp_path / "again.yaml")
    assert djhost.Recipe.load(tmp_path / "again.yaml") == recipe
    shown = [subprocess.run(command("config", str(file), "--json"), capture_output=True, cwd=ROOT) for file in (path, tmp_path / "again.yaml")]
    configs = [json.loads(done.stdout)["config"] for done in shown if done.returncode == 0]
    assert len(configs) == 2, shown[0].stderr
    assert configs[0] == configs[1]


def test_mistakes_in_a_file_have_their_line(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("np: 2\nnp: 3\nprocess:\n  - a_filter: {max: 18446744073709551616}\n")
    with pytest.raises(RecipeError) as caught:
        djhost.Recipe.load(tmp_path / "r.yaml")
    assert [problem.line for problem in caught.value.problems] == [2, 4]
    with pytest.raises(RecipeError, match="no such file"):
        djhost.Recipe.load("nowhere.yaml")


def test_a_saved_recipe_runs_with_the_command() -> None:
    Path("in.jsonl").write_text('{"text": "long enough"}\n{"text": "no"}\n')
    recipe = djhost.Recipe.from_list([djhost.ops.text_length_filter(min_len=5)], dataset_path="in.jsonl", export_path="out.jsonl")
    recipe.save("r.yaml")
    subprocess.run(command("run", "r.yaml", "--quiet"), check=True, capture_output=True)
    assert Path("out.jsonl").read_text() == '{"text": "long enough"}\n'
