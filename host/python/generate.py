"""Writes what the package knows of the built-in operators: a table, and the stubs of the functions and methods made of it.

    python host/python/generate.py [--check]

Needs the package with its native module. ``--check`` writes nothing, and ends with 1 if a file is not what would be written. Run it
after a change of a built-in operator's parameters, summary or example.
"""

from __future__ import annotations

import argparse
import json
import keyword
import os
import re
import sys
from pathlib import Path
from typing import Any, Iterator

PACKAGE = Path(__file__).resolve().parent / "python" / "djhost"
WIDTH = 120


def built_in() -> list[dict[str, Any]]:
    """All built-in operators with their examples and signatures, without what changes whenever a pack is built."""
    from djhost import _djhost

    for name in [name for name in os.environ if name.startswith(("DJHOST_", "DJ_PROCESS_")) and name != "DJHOST_CACHE_DIR"]:
        del os.environ[name]
    entries = json.loads(_djhost.describe_operators([], [], _djhost.built_in_operators()))
    return [{key: value for key, value in entry.items() if key not in ("digest", "wit_version", "needs", "imports")} for entry in entries]


def table(entries: list[dict[str, Any]]) -> str:
    """One line for each operator."""
    return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]\n"


def definition(entry: dict[str, Any], returns: str, method: bool) -> Iterator[str]:
    """The stub of an operator as a function or method."""
    from djhost.ops._describe import Description
    from djhost.ops._schema import default_text, type_text, value_text

    description = Description.read(entry)
    arguments = []
    for param in description.params:
        if param.name.isidentifier() and not keyword.iskeyword(param.name):
            plain = isinstance(param.default, (int, float, str, bool, type(None))) and len(repr(param.default)) < 40
            has_text = plain and "no limit" not in default_text(param)
            default = "" if param.required else f" = {value_text(param.default)}" if has_text else " = ..."
            arguments.append(f"{param.name}: {type_text(param.type)}{default}")
    common = "CommonOfFilters" if description.kind == "filter" else "Common"
    star = ["*"] if arguments else []
    arguments = [*(["self"] if method else []), *star, *arguments, f"**common: Unpack[{common}]"]
    head, indent = f"def {description.name}(", "    " if method else ""
    line = f"{indent}{head}{', '.join(arguments)}) -> {returns}:"
    if len(line) <= WIDTH:
        yield line
    else:
        yield f"{indent}{head}"
        yield from (f"{indent}    {argument}," for argument in arguments)
        yield f"{indent}) -> {returns}:"
    summary = description.summary.replace("\\", "\\\\").replace('"""', '\\"""')
    yield f'{indent}    """{summary}"""'
    if not method:
        yield ""


OPS = '''\
"""The operators as functions. Written by generate.py."""

from collections.abc import @ABC@
from typing import @TYPING@

from typing_extensions import Unpack

from djhost.ops._common import Common, CommonOfFilters
from djhost.ops._describe import Description as Description
from djhost.ops._list import Operators as Operators
from djhost.ops._operator import Op as Op
from djhost.ops._operator import Operator as Operator
from djhost.ops._schema import Param as Param
from djhost.ops._tables import Plugin

__all__ = ["Description", "Op", "Operator", "Operators", "Param", "show"]

def list(*words: str, kind: str | None = None, plugins: Plugin | Iterable[Plugin] = (), allow_override: Iterable[str] = ()) -> Operators:
    """The operators that have all words in their name, kind, source, summary or parameters."""

def show(name: str, *, plugins: Plugin | Iterable[Plugin] = (), allow_override: Iterable[str] = ()) -> Description:
    """What is known of an operator: parameters, fields, stats, an example."""

'''

CHAIN = '''\
"""Chains, with a method for each built-in operator. Written by generate.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NoReturn

from typing_extensions import Unpack

from djhost import Job, Plan, Result
from djhost._recipes import Entry, Recipe
from djhost.ops import Op
from djhost.ops._common import Common, CommonOfFilters
from djhost.ops._tables import Plugin

def read(data: Any, *, plugins: Plugin | Iterable[Plugin] = (), **options: Any) -> Chain:
    """Begins a chain of operators over data, which nothing reads before the chain is run."""

class Chain:
    """Data and the operators that are to run over it."""

    def __init__(self, data: Any, ops: Iterable[Op], plugins: Iterable[str], options: Mapping[str, Any]) -> None: ...
    def then(self, *entries: Entry) -> Chain:
        """Adds operators: names, {name: parameters}, or what djhost.ops or djhost.build makes."""
    def options(self, **options: Any) -> Chain:
        """Sets options of djhost.run."""
    def recipe(self) -> Recipe:
        """The operators as a recipe, without data and options."""
    def plan(self, **options: Any) -> Plan:
        """What run() would do; checks everything and writes nothing."""
    def check(self, **options: Any) -> Any:
        """Checks everything that run() checks before it starts."""
    def run(self, **options: Any) -> Result:
        """Runs the operators and returns the result."""
    def start(self, **options: Any) -> Job:
        """Starts the operators and returns at once."""
    def __getattr__(self, name: str) -> Any: ...
    def __iter__(self) -> NoReturn: ...
'''


def with_imports(text: str) -> str:
    """The stub with imports of the names that it uses."""
    for place, names in (("@ABC@", ("Iterable", "Mapping", "Sequence")), ("@TYPING@", ("Any", "Literal"))):
        text = text.replace(place, ", ".join(name for name in names if re.search(rf"\b{name}\b", text.replace(place, ""))))
    return text


def files() -> dict[Path, str]:
    """What is to be written, by path."""
    entries = built_in()
    functions = [line for entry in entries for line in definition(entry, "Op", method=False)]
    methods = [line for entry in entries for line in definition(entry, "Chain", method=True)]
    return {
        PACKAGE / "ops" / "_built_in.json": table(entries),
        PACKAGE / "ops" / "__init__.pyi": with_imports(OPS + "\n".join(functions).rstrip() + "\n"),
        PACKAGE / "_chain.pyi": CHAIN + "\n".join(methods) + "\n",
    }


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = [path for path, text in files().items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(PACKAGE.parent.parent)}: {'is not up to date' if check else 'written'}")
    if check:
        return 1 if stale else 0
    for path, text in files().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
