"""Makes a component of a function that is decorated with the operator SDK."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Union

from djhost._cache import cache
from djhost._source import module_of
from djhost.errors import DjhostError, PluginError, problem
from djhost.ops import Description, Op, Operator

#: What builds components. Its version is part of what a component is made of.
COMPILER = "componentize-py==0.25.1"


class Built:
    """A component with one or more operators, made by :func:`build`.

    It is a path, and so stands in ``plugins=``. With one operator it is called like the functions of :mod:`djhost.ops`; with
    several they are its attributes.
    """

    #: The component.
    path: Path

    def __init__(self, path: Path, operators: Iterable[Operator]) -> None:
        self.path = path
        self._operators = {operator.description.name: operator for operator in operators}
        if len(self._operators) == 1:
            (only,) = self._operators.values()
            self.__doc__, self.__signature__ = only.__doc__, only.__signature__

    @property
    def operators(self) -> dict[str, Operator]:
        """Its operators by name."""
        return dict(self._operators)

    def __call__(self, *args: Any, **params: Any) -> Op:
        """Makes an entry of a recipe of its only operator."""
        if len(self._operators) != 1:
            raise TypeError(f"this component has several operators: call .{' or .'.join(self._operators)}")
        (only,) = self._operators.values()
        return only(*args, **params)

    def __getattr__(self, name: str) -> Operator:
        if name.startswith("_") or name not in self._operators:
            raise AttributeError(f"this component has no operator `{name}`; it has {', '.join(self.__dict__.get('_operators', ()))}")
        return self._operators[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._operators]

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<component {str(self.path)!r} with {', '.join(self._operators)}>"


def build(*functions: Any, paths: Sequence[Union[str, os.PathLike[str]]] = ()) -> Built:
    """Makes a component of functions that are decorated with ``djhost_sdk``: the first time, and when their source has changed.

    What is built is the source of each function and what it uses of its module: other functions and classes that are defined
    there, imports, and plain values (numbers, text, lists and mappings of them, compiled patterns). That works in a notebook and in
    a script. It does not work for functions inside of functions that use variables of these, for objects of any other kind, and for
    functions that have no source, as those typed into ``python`` itself. Modules must be of the standard library or pure Python, in
    a directory that ``paths`` names.

    Needs Python 3.11 and ``pip install componentize-py==0.25.1``. Takes some seconds, and as long again when it is first run; the
    component has 19 MB, because it contains Python. Raises :class:`djhost.errors.PluginError` that says what is missing or what
    cannot be built.

    ::

        @djhost_sdk.filter
        def question_filter(text: str) -> bool:
            "Keeps texts that ask something."
            return "?" in text

        asks = djhost.build(question_filter)
        djhost.run(data, [asks(), {"text_length_filter": {"min_len": 5}}])
    """
    sdk = _sdk()
    if not functions:
        raise TypeError("build() needs at least one function with a decorator of djhost_sdk")
    for function in functions:
        if not isinstance(function, sdk.Operator):
            hint = "put a decorator of djhost_sdk on the function, such as @djhost_sdk.filter"
            raise PluginError([problem(f"{function!r} is no operator", hint=hint)])
    source = module_of(functions)
    searched = [Path(path).resolve() for path in paths]
    output = _cache() / f"{'_'.join(f.name for f in functions)[:80]}-{_digest(source, sdk, searched)}.wasm"
    if not output.is_file():
        _componentize(source, output, searched)
    return Built(output, [Operator(_description(function, output), [str(output)]) for function in functions])


def _sdk() -> Any:
    if sys.version_info < (3, 11):
        message = f"operators in Python are built with Python 3.11 or later, and this is {sys.version.split()[0]}"
        raise PluginError([problem(message, hint="the component runs with any Python that has djhost")])
    if importlib.util.find_spec("componentize_py") is None:
        hint = f"`pip install {COMPILER}`, or `pip install 'djhost[build]'`"
        raise PluginError([problem("componentize-py, which builds operators in Python, is not installed", hint=hint)])
    # The SDK has no types.
    return importlib.import_module("djhost_sdk.operator")


def _description(function: Any, output: Path) -> Description:
    return Description(
        name=function.name,
        kind=function.kind,
        summary=function.summary,
        cost=function.cost,
        source=str(output),
        schema=function.schema,
    )


def _digest(source: str, sdk: Any, paths: Iterable[Path]) -> str:
    """Equal for equal components: of the source, the SDK, the compiler, and the files of other modules."""
    digest = hashlib.sha256(f"{COMPILER}\n{source}".encode())
    for root in [Path(sdk.__file__).parent, *paths]:
        for file in sorted(root.rglob("*.py")):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _cache() -> Path:
    try:
        return cache("operators")
    except DjhostError as error:
        message, _, hint = str(error).partition("\n  hint: ")
        raise PluginError([problem(message, hint=hint)]) from None


def _componentize(source: str, output: Path, paths: Iterable[Path]) -> None:
    with tempfile.TemporaryDirectory(prefix="djhost-build-") as directory:
        file, made = Path(directory) / "operators.py", Path(directory) / "made.wasm"
        file.write_text(source, encoding="utf-8")
        search = [part for path in paths for part in ("-p", str(path))]
        command = [sys.executable, "-m", "djhost_sdk", "build", str(file), "-o", str(made), *search]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not made.is_file():
            said = (done.stdout + done.stderr).strip().splitlines()
            raise PluginError([problem("the function cannot be built:\n" + "\n".join(said[-20:]))])
        # Whole or not at all, also beside another process that builds the same.
        beside = output.with_name(f".{output.name}.{os.getpid()}.tmp")
        beside.write_bytes(made.read_bytes())
        os.replace(beside, output)
