"""The operators as functions."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import typing
from pathlib import Path

import pytest

import djhost
from conftest import command
from djhost.errors import DjhostError, ParameterError, RecipeError


def test_all_built_in_operators_are_listed_and_completed() -> None:
    known = json.loads(subprocess.run(command("ops", "list", "--json"), capture_output=True, check=True).stdout)
    names = sorted(entry["name"] for entry in known)
    assert sorted(op.name for op in djhost.ops.list()) == names
    assert set(names) < set(dir(djhost.ops))
    for entry in known:
        shown = djhost.ops.show(entry["name"])
        assert (shown.summary, shown.cost, dict(shown.schema)) == (entry["summary"], entry["cost"], entry["params_schema"])


def test_signature_and_docstring_come_from_the_schema() -> None:
    function = djhost.ops.text_length_filter
    signature = inspect.signature(function)
    assert signature.parameters["min_len"].default == 10
    assert signature.parameters["min_len"].annotation in (int, typing.Optional[int])
    assert signature.return_annotation is djhost.ops.Op
    assert function.__name__ == "text_length_filter"
    assert "min_len: int" in (function.__doc__ or "") and "Example:" in (function.__doc__ or "")
    for operator in djhost.ops.list():
        assert inspect.signature(getattr(djhost.ops, operator.name))


def test_an_op_is_an_entry_of_a_recipe() -> None:
    op = djhost.ops.text_length_filter(min_len=5)
    assert op == {"text_length_filter": {"min_len": 5}} and json.dumps(op) == '{"text_length_filter": {"min_len": 5}}'
    assert (op.name, op.params, repr(op)) == ("text_length_filter", {"min_len": 5}, "text_length_filter(min_len=5)")
    for other in (copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
        assert other == op and isinstance(other, djhost.ops.Op)


def test_mistakes_are_said_at_the_call() -> None:
    with pytest.raises(ParameterError, match="text_length_filter.min_lne: there is no parameter `min_lne`\n  hint: did you mean `min_len`"):
        djhost.ops.text_length_filter(min_lne=5)
    for kind in (TypeError, RecipeError, DjhostError):
        with pytest.raises(kind):
            djhost.ops.text_length_filter(min_lne=5)
    with pytest.raises(ParameterError) as caught:
        djhost.ops.text_length_filter(min_len="five", max_len="ten", limits={"memory": 5})
    assert len(caught.value.problems) == 3
    with pytest.raises(TypeError, match=r"ops.text_length_filter\(min_len=…\)\(data\)"):
        djhost.ops.text_length_filter([{"text": "rows"}])
    with pytest.raises(ValueError, match="text_length_filter.max_len is inf"):
        djhost.ops.text_length_filter(max_len=float("inf"))
    with pytest.raises(TypeError, match="text_length_filter.min_len is of type object"):
        djhost.ops.text_length_filter(min_len=object())


def test_what_every_operator_takes() -> None:
    op = djhost.ops.text_length_filter(min_len=5, text_key="body", on_error="fail", reversed_range=True, limits={"memory_mb": 64})
    assert op.params["limits"] == {"memory_mb": 64}
    assert djhost.ops.clean_links_mapper(grants={"read_dirs": (Path("/tmp"),)}).params == {"grants": {"read_dirs": ["/tmp"]}}


def test_unknown_operators_are_explained() -> None:
    with pytest.raises(AttributeError, match="there is no operator `text_lenght_filter`; did you mean `text_length_filter`"):
        djhost.ops.text_lenght_filter
    with pytest.raises(AttributeError, match="djhost lacks Data-Juicer's `llm_quality_score_filter`"):
        djhost.ops.show("llm_quality_score_filter")
    assert not hasattr(djhost.ops, "_repr_html_")
    with pytest.raises(ValueError, match="valid are filter, mapper"):
        djhost.ops.list(kind="fliter")


def test_lists_are_searched_and_shown() -> None:
    found = djhost.ops.list("clean_links")
    assert [op.name for op in found] == ["clean_links_mapper"] and found.clean_links_mapper() == {"clean_links_mapper": {}}
    assert {op.kind for op in djhost.ops.list(kind="deduplicators")} == {"deduplicator"}
    assert "clean_links_mapper" in repr(found) and repr(djhost.ops.list("no such word")) == "no operators"
    with pytest.raises(AttributeError, match="did you mean `clean_links_mapper`"):
        found.clean_link_mapper
    text = repr(djhost.ops.show("text_length_filter"))
    for part in ("min_len: int", "default 10", "text_len", "built-in text-filters", "long enough"):
        assert part in text, text


def test_plugins_that_cannot_be_used_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DjhostError, match="cannot be read"):
        djhost.ops.list(plugins=["nowhere"])
    (tmp_path / "broken.wasm").write_bytes(b"no component")
    with pytest.raises(DjhostError, match="broken.wasm"):
        djhost.ops.list(plugins=[tmp_path])


def test_operators_of_plugins(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = {op.name for op in djhost.ops.list()}
    listed = djhost.ops.list(plugins=[plugin])
    [name, *_] = [op.name for op in listed if op.name not in built_in]
    assert listed[[op.name for op in listed].index(name)].source == str(plugin)
    op = getattr(listed, name)()
    assert op.plugins == (str(plugin),)
    shown = djhost.ops.show(name, plugins=plugin)
    assert shown.name == name and shown.signature is not None and shown.fields("reads")
    assert djhost.plan([{"text": "a"}], [op]).document["operations"][0]["operation_name"] == name
    with pytest.raises(AttributeError):
        getattr(djhost.ops, name)
    monkeypatch.setenv("DJHOST_PLUGINS", str(plugin))
    assert getattr(djhost.ops, name)().name == name and name in dir(djhost.ops)
