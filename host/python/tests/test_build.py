"""Operators that are written in Python: built, cached, and used at once."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import djhost_sdk
import pytest

import djhost
from djhost.errors import ParameterError, PluginError

#: Built once for all tests, and in the cache of the next run.
MARKS = frozenset("?¿？")
ROWS = [{"text": "why? how?"}, {"text": "so."}, {"text": "¿qué?"}]


def marks(text: str) -> int:
    return sum(c in MARKS for c in text)


@djhost_sdk.filter(stat="questions", range=("min_num", None))
def python_question_filter(text: str, *, min_num: int = 1) -> int:
    """Keeps texts that ask something."""
    return marks(text)


@djhost_sdk.mapper
def python_shout_mapper(text: str) -> str:
    """Writes texts in capitals."""
    return text.upper()


def test_functions_become_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    both = djhost.build(python_question_filter, python_shout_mapper)
    assert both.path.stat().st_size > 1_000_000 and list(both.operators) == ["python_question_filter", "python_shout_mapper"]
    result = djhost.run(ROWS, [both.python_question_filter(min_num=2), both.python_shout_mapper()])
    assert result.to_list() == [{"text": "WHY? HOW?"}, {"text": "¿QUÉ?"}]
    asks = both.python_question_filter
    assert inspect.signature(asks).parameters["min_num"].default == 1
    assert asks(min_num=2)(ROWS).to_list() == [ROWS[0], ROWS[2]]
    assert len(djhost.run(ROWS, [{"python_question_filter": {}}], plugins=[both])) == 2
    assert len(djhost.run(ROWS, djhost.Recipe([asks(), "clean_links_mapper"]))) == 2
    chain = djhost.read(ROWS, plugins=both)
    assert len(chain.python_question_filter(min_num=2).run()) == 2 == len(djhost.read(ROWS).then(asks(min_num=2)).run())
    assert "python_question_filter" in dir(chain)
    assert djhost.ops.list("python_question", plugins=both).python_question_filter(min_num=2)(ROWS).to_list() == [ROWS[0], ROWS[2]]
    with pytest.raises(ParameterError, match="did you mean `min_num`"):
        asks(min_nmu=2)
    with pytest.raises(TypeError, match="several operators: call .python_question_filter or .python_shout_mapper"):
        both()
    with pytest.raises(AttributeError, match="it has python_question_filter, python_shout_mapper"):
        both.other

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it was built again")

    monkeypatch.setattr("djhost._build._componentize", fails)
    assert djhost.build(python_question_filter, python_shout_mapper).path == both.path


def test_a_script_builds_its_own_functions(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import djhost, djhost_sdk\nLEAST = 4\n\n@djhost_sdk.filter\ndef python_long_filter(text: str) -> bool:\n"
        '    "Keeps long texts."\n    return len(text) >= LEAST\n\n'
        'print(djhost.build(python_long_filter)()([{"text": "abc"}, {"text": "abcd"}]).to_list())\n'
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout == "[{'text': 'abcd'}]\n", done.stderr


def test_what_cannot_be_built_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="is no operator\n  hint: put a decorator of djhost_sdk on the function"):
        djhost.build(len)
    with pytest.raises(TypeError, match="at least one function"):
        djhost.build()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PluginError, match="componentize-py.*not installed\n  hint: `pip install componentize-py"):
        djhost.build(python_shout_mapper)
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    with pytest.raises(PluginError, match="Python 3.11 or later"):
        djhost.build(python_shout_mapper)


def test_nobody_else_can_write_to_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJHOST_CACHE_DIR", str(tmp_path))
    (tmp_path / "operators").mkdir(mode=0o777)

    def instead(source: str, output: Path, paths: Any) -> None:
        output.write_bytes(b"")

    monkeypatch.setattr("djhost._build._componentize", instead)
    built = djhost.build(python_shout_mapper)
    assert built.path.parent.stat().st_mode & 0o777 == 0o700
    built.path.unlink()
    built.path.parent.rename(tmp_path / "elsewhere")
    (tmp_path / "operators").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PluginError, match="belongs to somebody else\n  hint: set DJHOST_CACHE_DIR"):
        djhost.build(python_shout_mapper)


@djhost_sdk.mapper
def python_broken_mapper(text: str) -> str:
    """Cannot be imported where it is built."""
    return pytest.__version__ + text


def test_a_build_that_fails_says_why() -> None:
    with pytest.raises(PluginError, match="the function cannot be built(.|\n)*No module named 'pytest'"):
        djhost.build(python_broken_mapper)
