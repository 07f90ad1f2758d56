"""The source of a module that holds some functions, and what they use of the modules in which they were written."""

from __future__ import annotations

import __future__

import ast
import builtins
import inspect
import linecache
import re
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator
from typing import Any, Optional

from djhost.errors import PluginError, problem

_SCALARS = (bool, int, float, complex, str, bytes, type(None), type(...))


def module_of(operators: Iterable[Any]) -> str:
    """The text of a module with these operators of ``djhost_sdk``, ready to be built.

    Raises :class:`djhost.errors.PluginError` if the source of one cannot be found, or it uses something that has no source.
    """
    gathered = _Gathered()
    for operator in operators:
        gathered.add_function(operator.name, operator.function, operator.function.__globals__)
    return gathered.text()


class _Gathered:
    """Definitions by name, in the order in which they need each other."""

    def __init__(self) -> None:
        self._imports: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._postponed = False
        self._open: list[str] = []

    def text(self) -> str:
        """The module."""
        head = ["from __future__ import annotations"] if self._postponed else []
        return "\n".join([*head, *self._imports.values(), "", *self._definitions.values()]) + "\n"

    def add_function(self, name: str, function: types.FunctionType, scope: dict[str, Any]) -> None:
        """Adds a function under ``name``, and all names that its source uses."""
        if function.__closure__:
            names = ", ".join(f"`{n}`" for n in function.__code__.co_freevars)
            message = f"`{name}` uses {names} of the function around it"
            raise PluginError([problem(message, hint="define it at the top of a module or cell, and pass such values as parameters")])
        if function.__code__.co_flags & __future__.annotations.compiler_flag:
            self._postponed = True
        self._add_source(name, function, scope)

    def _add_source(self, name: str, defined: Any, scope: dict[str, Any]) -> None:
        self._open.append(name)
        source = _source_of(name, defined)
        for used in _names_of(source):
            if used != name and used not in self._open:
                self._add_name(used, scope, name)
        for dotted in _modules_of(source, scope):
            self._imports[dotted] = f"import {dotted}"
        self._open.pop()
        self._definitions[f"def {name}"] = source

    def _add_name(self, name: str, scope: dict[str, Any], user: str) -> None:
        if name not in scope:
            # A builtin, a local variable, or a mistake that Python itself will name.
            return
        value = scope[name]
        if name in self._values:
            if self._values[name] is not value:
                message = f"two modules mean different things by `{name}`"
                raise PluginError([problem(message, hint="build their functions one by one")])
            return
        self._values[name] = value
        imported = _import_of(name, value, scope.get("__name__"))
        if imported is not None:
            self._imports[name] = imported
            return
        inner = inspect.unwrap(value) if callable(value) and not inspect.isclass(value) else value
        if inspect.isfunction(inner):
            self.add_function(name, inner, inner.__globals__)
        elif inspect.isclass(inner):
            self._add_source(name, inner, scope)
        else:
            literal = _literal(value)
            if literal is None:
                message = f"`{user}` uses `{name}`, a {type(value).__qualname__}, which cannot be put into a component"
                hint = (
                    "make it inside of the function, pass it as a parameter, or write the operator into a file of its own and build "
                    "that with `python -m djhost_sdk build`"
                )
                raise PluginError([problem(message, hint=hint)])
            if isinstance(value, re.Pattern):
                self._imports["re"] = "import re"
            self._definitions[name] = f"{name} = {literal}"


def _source_of(name: str, defined: Any) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(defined))
        ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        in_cell = _class_in_cells(defined) if inspect.isclass(defined) else None
        if in_cell is not None:
            return in_cell
        hint = "define it with `def` in a file or a notebook cell, not in `python` itself or by `exec`"
        raise PluginError([problem(f"the source of `{name}` cannot be found", hint=hint)]) from None
    return source


def _class_in_cells(defined: type) -> Optional[str]:
    """The source of a class of a notebook, which `inspect` does not find: `__main__` has no file there."""
    cells = [(name, entry) for name, entry in linecache.cache.items() if "ipykernel" in name or name.startswith("<ipython-input")]
    for name, _ in reversed(cells):
        text = "".join(linecache.getlines(name))
        try:
            top = ast.parse(text).body
        except SyntaxError:
            # A cell with magic commands.
            continue
        for node in top:
            if isinstance(node, ast.ClassDef) and node.name == defined.__name__:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                return "\n".join(text.splitlines()[first - 1 : node.end_lineno]) + "\n"
    return None


def _names_of(source: str) -> list[str]:
    """The names that a definition takes from around it, in the order in which they stand there."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not hasattr(builtins, node.id):
            found[node.id] = (node.lineno, node.col_offset)
    return sorted(found, key=lambda name: found[name])


def _modules_of(source: str, scope: dict[str, Any]) -> Iterator[str]:
    """The submodules that a definition reaches by their dotted names, such as `xml.etree.ElementTree`."""
    for node in ast.walk(ast.parse(source)):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        root = name.split(".")[0]
        if isinstance(scope.get(root), types.ModuleType) and scope[root].__name__ == root and name in sys.modules:
            yield name


def _import_of(name: str, value: Any, scope: Optional[str]) -> Optional[str]:
    """The statement that imports ``value`` as ``name``, if it comes from another module."""
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" if value.__name__ == name else f"import {value.__name__} as {name}"
    for module, attribute in _places(name, value):
        if module in (scope, "__main__"):
            continue
        found = sys.modules.get(module)
        if found is not None and getattr(found, attribute, None) is value:
            return f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")
    return None


def _places(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Where a value may have been imported from: what it says itself, and modules whose values do not say it."""
    module, attribute = getattr(value, "__module__", None), getattr(value, "__qualname__", getattr(value, "_name", None))
    if isinstance(value, _SCALARS):
        return
    if isinstance(module, str):
        # The package that people import from, before the module inside of it that has the definition.
        for part in range(1, module.count(".") + 2):
            at = ".".join(module.split(".")[:part])
            yield from ((at, candidate) for candidate in dict.fromkeys((attribute, name)) if isinstance(candidate, str))
    for known in ("typing", "djhost_sdk"):
        yield known, name


def _literal(value: Any) -> Optional[str]:
    """The expression for a plain value or a compiled pattern."""
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r}, {int(value.flags)})"
    return repr(value) if _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return all(_is_plain(item) for item in value)
    if kind is dict:
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    # NaN and infinity have no literal.
    return kind in _SCALARS and repr(value) not in ("nan", "inf", "-inf")
