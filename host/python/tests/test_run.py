"""`djhost.run`: recipes, options, places."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest

import djhost

ROWS = [{"text": "a text of some length", "id": i} for i in range(3)] + [{"text": "short", "id": 3}]
LONG = [{"text_length_filter": {"min_len": 10}}]


def test_rows_go_in_and_come_out_in_their_order() -> None:
    result = djhost.run(ROWS, LONG)
    assert result.to_list() == ROWS[:3] == list(result) == result.data
    assert (len(result), result.status) == (3, "completed")
    assert result.ledger == {
        "read": 4,
        "output": 3,
        "dropped": {0: 1},
        "merged": {},
        "created": {},
        "quarantined": 0,
    }
    [op] = result.ops
    assert (op["name"], op["rows_in"], op["rows_out"]) == ("text_length_filter", 4, 3)


@pytest.mark.parametrize(
    "recipe",
    [
        "recipe.yaml",
        Path("recipe.yaml"),
        LONG,
        ["whitespace_normalization_mapper", *LONG],
        {"process": LONG, "np": 1},
        {"process": [], "text_keys": ["text"]} | {"process": LONG},
    ],
)
def test_a_recipe_is_a_path_a_list_or_a_dict(recipe: Any) -> None:
    Path("recipe.yaml").write_text("process:\n  - text_length_filter: {min_len: 10}\n")
    assert djhost.run(ROWS, recipe).to_list() == ROWS[:3]


def test_an_object_with_to_dict_is_a_recipe_or_an_entry_of_one() -> None:
    class Entry:
        def to_dict(self) -> dict[str, Any]:
            return LONG[0]

    class Recipe:
        def to_dict(self) -> dict[str, Any]:
            return {"process": [Entry()]}

    assert len(djhost.run(ROWS, Recipe())) == len(djhost.run(ROWS, [Entry()])) == 3


def test_paths_globs_and_lists_of_them(tmp_path: Path) -> None:
    tmp_path = tmp_path / "in"
    tmp_path.mkdir()
    for name, rows in ("a.jsonl", ROWS[:2]), ("b.jsonl", ROWS[2:]):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    for data in (
        tmp_path,
        f"{tmp_path}/*.jsonl",
        [str(tmp_path / "a.jsonl"), tmp_path / "b.jsonl"],
    ):
        result = djhost.run(data, LONG)
        assert result.to_list() == ROWS[:3]
        assert result.data == result.path


def test_without_data_the_recipe_names_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a text of some length"}\n')
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"dataset_path: {tmp_path}/in.jsonl\nexport_path: {tmp_path}/out/r.parquet\nprocess: []\n"
    )
    result = djhost.run(None, recipe)
    # What the recipe says stands: arguments that nobody gives do not count.
    assert result.path == tmp_path / "out/r.parquet"
    assert result.to_list() == [{"text": "a text of some length"}]


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.parquet", "r.arrow", "r.jsonl.gz", "r.jsonl.zst"])
def test_a_result_comes_back_from_every_format(name: str) -> None:
    result = djhost.run(ROWS, LONG, export_path=f"out/{name}")
    assert result.path == Path("out", name).absolute()
    assert result.to_list() == ROWS[:3]


def test_shards_are_one_result() -> None:
    result = djhost.run(ROWS, LONG, export_path="out/r.jsonl", export_shard_size=30)
    assert len(result.paths) == 3
    assert result.to_list() == ROWS[:3]


def test_options_are_those_of_the_recipe_in_any_spelling() -> None:
    rows = [{"body": "a text of some length"}, {"body": "short"}]
    for options in (
        {"text_key": "body"},
        {"text_keys": "body"},
        {"text_key": "body", "partition__num_of_partitions": 1},
        {"text_key": "body", "partition": {"num_of_partitions": 1}, "checkpoint.n_ops": 3},
    ):
        assert len(djhost.run(rows, LONG, **options)) == 1, options
    assert len(djhost.run(rows, LONG, text_key="body", text_length_filter={"min_len": 1})) == 2
    [row] = djhost.run(ROWS[:1], LONG, keep_stats=True)
    assert row["__dj__stats__"] == {"text_len": 21}


def test_arguments_count_before_the_environment_and_that_before_the_recipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJHOST_TEXT_KEYS", "b")
    rows = [{"a": "long enough to stay", "b": "x", "c": "long enough to stay"}]
    recipe = {"process": LONG, "text_keys": "a"}
    assert len(djhost.run(rows, recipe)) == 0
    assert len(djhost.run(rows, recipe, text_key="c")) == 1


def test_a_named_job_stays_and_is_found_done_again(tmp_path: Path) -> None:
    for rows, attempts in (ROWS, 1), (ROWS, 2), (ROWS[:3], 3):
        result = djhost.run(rows, LONG, job_id="mine", work_dir=tmp_path / "work")
        assert result.run_dir == tmp_path / "work/mine"
        assert len(result) == 3
        assert result.ledger["read"] == len(rows)
        assert len(result.summary["attempts"]) <= attempts
    assert djhost.run(ROWS, LONG, job_id="other").run_dir == Path("outputs/other").absolute()


def test_a_temporary_run_directory_lives_as_long_as_the_result(tmp_path: Path) -> None:
    result = djhost.run(ROWS, LONG)
    run_dir = result.run_dir
    temporary = Path(os.environ["TMPDIR"])
    assert run_dir.is_relative_to(temporary) and run_dir.is_dir()
    rows = iter(result)
    assert next(rows) == ROWS[0]
    del rows, result
    assert not run_dir.exists()
    assert os.listdir(temporary) == []
    assert not (tmp_path / "state").exists(), "a temporary job is not registered"


def test_nothing_is_written_to_standard_output(python: Callable[..., Any]) -> None:
    done = python(
        """
        import djhost
        djhost.run([{"text": "x" * 10_000, "no": None}] * 10, ["fix_unicode_mapper"])
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_worth_a_warning_goes_to_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    djhost.run([{"text": "x"}], LONG)
    [record] = [r for r in caplog.records if r.name == "djhost" and "has removed" in r.message]
    assert "text_length_filter" in record.message
    caplog.clear()
    djhost.run([{"body": "x"}], [{"text_length_filter": {"text_key": "bdy"}}], max_unreadable_ratio=1)
    assert any("did you mean `body`" in record.message for record in caplog.records)


def test_the_log_has_what_its_level_lets_through() -> None:
    def levels(**options: Any) -> set[str]:
        result = djhost.run(ROWS, LONG, job_id="mine", work_dir="logs_" + "".join(options), **options)
        [log] = (result.run_dir / "logs").glob("attempt_*.txt")
        return {line.split()[2] for line in log.read_text().splitlines()}

    assert levels() == {"INFO"}
    assert levels(log_level="warn") == set()


def test_operators_of_plugins_are_compiled_by_a_process_of_their_own(
    plugin: Path, tmp_path: Path, python: Callable[..., Any]
) -> None:
    started = tmp_path / "started"
    done = python(
        """
        import os, stat, sys
        plugin, started, cache = sys.argv[1:]
        os.environ["DJHOST_CACHE_DIR"] = cache
        # Files in the working directory play no part.
        open("djhost.py", "w").write("raise SystemExit('the wrong djhost')")
        wrapper = os.path.join(os.path.dirname(started), "python")
        with open(wrapper, "w") as file:
            file.write(f'#!/bin/sh\\necho "$@" >> {started}\\nexec {sys.executable} "$@"\\n')
        os.chmod(wrapper, 0o755)
        sys.path.remove("")
        sys.executable = wrapper
        import djhost
        rows = [{"text": t} for t in ["one text", "one text again", "another"]]
        recipe = [{"rust_prefix_deduplicator": {"length": 3}}]
        print(len(djhost.run(rows, recipe, plugins=plugin)))
        """,
        plugin,
        started,
        tmp_path / "cache",
    )
    assert done.stdout == "2\n", done.stderr
    assert started.read_text().startswith("-I -S -c import sys")
    assert "_djhost.abi3.so " in started.read_text()
    assert " compile-plugin " in started.read_text()


def test_a_plan_says_what_a_run_would_do() -> None:
    plan = djhost.plan(ROWS, LONG)
    assert "text_length_filter" in str(plan) and "1 partition" in plan.text
    assert [op["operation_name"] for op in plan.document["operations"]] == ["text_length_filter"]
    with pytest.raises(djhost.errors.DataError, match="use up"):
        djhost.plan(iter(ROWS), LONG)
    djhost.plan(ROWS, LONG, job_id="mine", work_dir="work", export_path="out/r.jsonl")
    assert os.listdir(".") == []


def test_a_check_returns_the_mistakes() -> None:
    assert djhost.check(LONG) == []
    [wrong] = djhost.check(["nowhere_filter", *LONG])
    assert (wrong.path, wrong.file, wrong.line) == ("process[0].nowhere_filter", None, None)
    assert [p.path for p in djhost.check(LONG, np=0, sead=1)] == ["np", "sead"]
    [missing] = djhost.check(LONG, "nowhere.jsonl")
    assert "nowhere.jsonl" in str(missing)
    Path("recipe.yaml").write_text("process:\n  - text_length_filter:\n      min_len: many\n")
    [wrong] = djhost.check("recipe.yaml")
    assert (wrong.file, wrong.line) == ("recipe.yaml", 3)
    assert wrong.path == "process[0].text_length_filter.min_len"
