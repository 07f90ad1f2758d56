"""What of a module goes into a component beside the function: without building one."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from djhost._source import module_of
from djhost.errors import PluginError


class Fake:
    """Stands for an operator of the SDK, which needs Python 3.11."""

    def __init__(self, function: Any) -> None:
        self.function, self.name = function, function.__name__
        self.__wrapped__ = function


def load(tmp_path: Path, text: str, name: str = "own") -> dict[str, Any]:
    """Imports a module with this text."""
    import importlib.util

    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return vars(module)


def run(source: str, call: str) -> str:
    """The value of an expression in a new interpreter that has only the gathered source."""
    done = subprocess.run([sys.executable, "-I", "-c", f"{source}\nprint({call})"], capture_output=True, text=True)
    assert done.returncode == 0, f"{source}\n{done.stderr}"
    return done.stdout.strip()


def test_all_that_a_function_uses_comes_with_it(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        '''
        from __future__ import annotations
        import json
        import math as m
        import re
        import xml.etree.ElementTree
        from collections import Counter
        from dataclasses import dataclass, field
        from functools import lru_cache
        from string import ascii_letters
        from typing import Annotated, Optional

        WORDS = frozenset({"a", "b"})
        LIMITS = {"low": [1, 2.5], "high": (None, True)}
        PATTERN = re.compile(r"\\d+", re.IGNORECASE | re.MULTILINE)
        UNUSED = object()

        @dataclass
        class Pair:
            """Two values."""
            left: int
            right: Optional[int] = None
            more: list[int] = field(default_factory=list)

        @lru_cache(maxsize=None)
        def double(n: int) -> int:
            return 2 * n

        def helper(text):
            def inner():
                return double(len(text)) + LIMITS["low"][0]
            return inner()

        def example(text: Annotated[str, "note"], *, n: int = 1) -> str:
            "Uses all of it."
            tree = xml.etree.ElementTree.fromstring("<a>x</a>")
            pair = Pair(helper(text), m.floor(2.5))
            counts = Counter(c for c in text if c in ascii_letters)
            return json.dumps([pair.left, pair.right, PATTERN.findall(text), sorted(WORDS), counts["x"], tree.text, n])
        ''',
    )
    source = module_of([Fake(found["example"])])
    assert "UNUSED" not in source and source.startswith("from __future__ import annotations")
    expected = found["example"]("x 12 y")
    assert run(source, "example('x 12 y')") == expected


def test_what_cannot_come_with_it_is_named(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
        import threading
        lock = threading.Lock()
        half = lambda n: n / 2

        def uses_lock(text):
            with lock:
                return text

        def outer():
            secret = 1
            def inner(text):
                return secret
            return inner

        inner = outer()
        """,
    )
    with pytest.raises(PluginError, match="`uses_lock` uses `lock`, a lock, which cannot be put into a component"):
        module_of([Fake(found["uses_lock"])])
    with pytest.raises(PluginError, match="`inner` uses `secret` of the function around it"):
        module_of([Fake(found["inner"])])
    names: dict[str, Any] = {}
    exec("def typed(text): return text", names)
    with pytest.raises(PluginError, match="the source of `typed` cannot be found"):
        module_of([Fake(names["typed"])])


def test_one_name_means_one_thing(tmp_path: Path) -> None:
    first = load(tmp_path, "N = 1\ndef first(text):\n    return N\n", "module_a")
    second = load(tmp_path, "N = 2\ndef second(text):\n    return N\n", "module_b")
    with pytest.raises(PluginError, match="two modules mean different things by `N`"):
        module_of([Fake(first["first"]), Fake(second["second"])])
