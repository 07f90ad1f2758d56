"""What goes wrong, and who is told what."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Callable

import pytest

import djhost
from djhost.errors import (
    DataError,
    DjhostError,
    ExpectationError,
    JobFailed,
    JobInterrupted,
    JobNotFound,
    JobStopped,
    PluginError,
    Problem,
    RecipeError,
)

ROWS = [{"text": "a text"}]


def test_all_are_of_one_class() -> None:
    for error in (DataError, JobFailed, JobNotFound, JobStopped, PluginError, RecipeError):
        assert issubclass(error, DjhostError)
    assert issubclass(JobInterrupted, (JobStopped, KeyboardInterrupt))


def test_a_result_that_is_not_as_expected_is_there_unless_that_blocks_the_export() -> None:
    expect: dict[str, Any] = {"rows_out": {"min": 2}, "rows_in": {"max": 9}}
    with pytest.raises(ExpectationError, match="rows_out.* is 1") as raised:
        djhost.run(ROWS, [], expect=expect)
    assert raised.value.result is not None and raised.value.result.to_list() == ROWS
    assert [demand["key"] for demand in raised.value.unmet] == ["rows_out"]
    with pytest.raises(ExpectationError, match="rows_out") as raised:
        djhost.run(ROWS, [], expect={**expect, "block_export": True})
    assert raised.value.result is None and raised.value.unmet[0]["value"] == 1
    assert len(djhost.run(ROWS, [], expect={"rows_out": {"min": 1}})) == 1


def test_mistakes_in_a_recipe_of_data_have_places_in_it() -> None:
    recipe = {
        "process": [
            "whitespace_normalization_mapper",
            {"text_length_filter": {"min_len": "many"}},
            {"words_num_filter": {"min_numm": 1}},
        ]
    }
    with pytest.raises(RecipeError) as caught:
        djhost.run(ROWS, recipe)
    first, second = caught.value.problems
    assert first.path == "process[1].text_length_filter.min_len"
    assert "many" in first.message
    assert second.path == "process[2].words_num_filter.min_numm"
    assert second.hint is not None and "did you mean `min_num`?" in second.hint
    assert (first.file, first.line) == (None, None)
    assert str(caught.value) == f"{first}\n{second}"
    assert pickle.loads(pickle.dumps(caught.value)).problems == [first, second]


def test_mistakes_in_a_file_have_its_line() -> None:
    Path("recipe.yaml").write_text("np: 2\nprocess:\n  - text_length_filter:\n      min_len: many\n")
    with pytest.raises(RecipeError) as caught:
        djhost.run(ROWS, "recipe.yaml")
    [problem] = caught.value.problems
    assert problem[:3] == ("process[0].text_length_filter.min_len", "recipe.yaml", 4)
    assert str(problem).startswith("recipe.yaml:4: process[0].text_length_filter.min_len: ")


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"np": "many"}, "np"),
        ({"partition__mode": "automatic"}, "partition.mode"),
        ({"checkpoint": {"strategi": "every_op"}}, "checkpoint.strategi"),
        ({"on_error": "ignore"}, "on_error"),
        ({"seed": 1.5}, "seed"),
        ({"max_quarantine_ratio": float("nan")}, "max_quarantine_ratio"),
        ({"text_length_filter": {"min_len": "many"}}, "text_length_filter.min_len"),
        ({"words_num_filter": {"min_num": 1}}, "words_num_filter.min_num"),
        ({"dataset": {"configs": [{"type": "elsewhere", "path": "x"}]}}, "dataset.configs[0].type"),
    ],
)
def test_mistakes_in_arguments_are_named_by_them(options: dict[str, object], path: str) -> None:
    with pytest.raises(RecipeError) as caught:
        djhost.run(None if "dataset" in options else ROWS, [{"text_length_filter": {}}], **options)
    assert caught.value.problems[0].path == path


def test_mistakes_show_before_any_row_is_taken() -> None:
    def rows():
        raise AssertionError("a row was taken")
        yield {}

    with pytest.raises(RecipeError):
        djhost.run(rows(), [{"text_length_filter": {"min_len": "many"}}])
    assert list(Path(".").iterdir()) == []


def test_a_value_that_no_recipe_can_hold_is_named() -> None:
    with pytest.raises(RecipeError) as caught:
        djhost.run(ROWS, [{"text_length_filter": {"min_len": object()}}])
    [problem] = caught.value.problems
    assert problem.path == "process[0].text_length_filter.min_len"
    assert "`object`" in problem.message


@pytest.mark.parametrize("url", ["hdfs://host/rows.jsonl", ["ftp://host/a.parquet"]])
def test_urls_of_stores_are_refused(url: object) -> None:
    with pytest.raises(RecipeError, match="is not supported") as caught:
        djhost.run(url, [])
    assert "`s3://BUCKET/KEY`" in str(caught.value.problems[0].hint)


def test_a_bad_plugin_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"no component")
    with pytest.raises(PluginError) as caught:
        djhost.run(ROWS, [], plugins=tmp_path)
    assert caught.value.problems[0].file == str(tmp_path / "bad.wasm")
    with pytest.raises(PluginError, match="nowhere"):
        djhost.run(ROWS, [], plugins=["nowhere"])


def test_a_job_that_fails_says_how_to_go_on() -> None:
    rows = [{"text": "a text"}, {"text": 5}]
    with pytest.raises(JobFailed) as caught:
        djhost.run(rows, ["fix_unicode_mapper"], on_error="fail", job_id="mine")
    error = caught.value
    assert error.job is not None and error.job.status == "failed"
    assert error.resumption_command is not None
    assert error.resumption_command.startswith("djhost run ")
    assert error.resumption_command in str(error)
    with pytest.raises(JobFailed) as caught:
        djhost.run(rows, ["fix_unicode_mapper"], on_error="fail")
    assert caught.value.resumption_command is None, "a temporary job has no command"


def test_a_full_disk_ends_a_job_that_can_be_continued(python: Callable[..., Any]) -> None:
    done = python(
        """
        import os
        os.environ["DJHOST_TEST_FAULT"] = "full@disk:write:parts/:1"
        import djhost
        try:
            djhost.run([{"text": "a text"}], [], job_id="mine")
        except djhost.errors.JobFailed as error:
            print(error.job.status, error.problems, "No space left" in str(error))
        """
    )
    assert done.stdout == "failed [] True\n", done.stderr
    assert len(djhost.run(ROWS, [], job_id="mine")) == 1


def test_a_panic_is_an_exception(python: Callable[..., Any]) -> None:
    done = python(
        """
        import os
        os.environ["DJHOST_TEST_FAULT"] = "panic@disk:create:job_summary:1"
        import djhost
        try:
            djhost.run([{"text": "a text"}], [], job_id="mine")
        except djhost.errors.DjhostError as error:
            print(type(error).__name__, "internal error: on purpose" in str(error))
        print(len(djhost.run([{"text": "a text"}], [], job_id="mine")))
        """
    )
    assert done.stdout == "JobFailed True\n1\n", done.stderr


def test_a_job_that_runs_already_is_not_run_twice(slow_rows: Path) -> None:
    job = djhost.start(slow_rows, ["fix_unicode_mapper"] * 8, job_id="mine", np=1)
    with pytest.raises(RecipeError, match="is already run by process"):
        djhost.run(slow_rows, ["fix_unicode_mapper"] * 8, job_id="mine", np=1)
    assert job.stop() == "stopped"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    result = djhost.run(ROWS, [])
    for package, take in (
        ("pyarrow", result.to_arrow),
        ("pandas", result.to_pandas),
        ("polars", result.to_polars),
        ("datasets", result.to_hf),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(ModuleNotFoundError, match=f"pip install 'djhost\\[{package}\\]'"):
                take()


def test_a_problem_reads_as_one_would_say_it() -> None:
    assert str(Problem("np", None, None, "is wrong", "mend it")) == "np: is wrong\n  hint: mend it"
    assert str(Problem("", "a.wasm", None, "is wrong", None)) == "a.wasm: is wrong"
