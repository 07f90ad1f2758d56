"""What the JSON Schema of an operator's parameters says: as a signature, as types, as text."""

from __future__ import annotations

import inspect
import json
import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Optional, Union, get_args, get_origin

#: Stands for the default of a parameter that must be given.
REQUIRED: Any = inspect.Parameter.empty

#: A bound of this size is none.
LIMIT = 9.2e18

_SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}
_NAMES = {str: "str", int: "int", float: "float", bool: "bool", None: "None", Any: "Any"}


@dataclass(frozen=True)
class Param:
    """One parameter of an operator."""

    #: Its name in a recipe.
    name: str
    #: The Python type of its values.
    type: Any
    #: Its value if none is given; `REQUIRED` if one must be.
    default: Any
    #: What it means; may be empty.
    doc: str
    #: Its JSON Schema.
    schema: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED


def params_of(schema: Mapping[str, Any]) -> list[Param]:
    """The parameters that an operator declares, in its order."""
    required = schema.get("required", ())
    found = []
    for name, given in schema.get("properties", {}).items():
        own = given if isinstance(given, Mapping) else {}
        default = own.get("default", REQUIRED if name in required else None)
        kind = type_of(own, schema)
        if default is None:
            kind = Optional[kind]
        found.append(Param(name, kind, default, own.get("description", ""), own))
    return found


def signature_of(params: Sequence[Param], returns: Any) -> inspect.Signature:
    """A signature with the parameters by keyword, and those that every operator takes as ``**common``."""
    own = [
        inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=p.type)
        for p in params
        # A recipe can give a parameter that is called `from`; in Python it takes `**{"from": …}`.
        if p.name.isidentifier() and not keyword.iskeyword(p.name)
    ]
    common = inspect.Parameter("common", inspect.Parameter.VAR_KEYWORD, annotation=Any)
    return inspect.Signature([*own, common], return_annotation=returns)


def type_of(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Any:
    """The Python type of the values that a schema allows; `Any` where it cannot be told."""
    schema = _follow(schema, root)
    if not isinstance(schema, Mapping) or depth > 8:
        return Any
    if "const" in schema:
        return _literal([schema["const"]])
    if "enum" in schema:
        return _literal(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _union([type_of(choice, root, depth + 1) for choice in schema[key]])
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    return _union([_plain(name, schema, root, depth) for name in names]) if names else Any


def _plain(name: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    if name == "array":
        inner = type_of(schema.get("items", True), root, depth + 1)
        return Sequence[inner]  # type: ignore[valid-type]
    if name == "object":
        inner = type_of(schema.get("additionalProperties", True), root, depth + 1)
        return Mapping[str, inner]  # type: ignore[valid-type]
    return _SCALARS.get(name, Any)


def _literal(values: Sequence[Any]) -> Any:
    plain = all(value is None or isinstance(value, (str, int, bool)) for value in values)
    return Literal[tuple(values)] if values and plain else Any


def _union(kinds: Sequence[Any]) -> Any:
    if any(kind is Any for kind in kinds):
        return Any
    # Enums with comments are lists of single constants.
    constants = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
    others = [kind for kind in kinds if get_origin(kind) is not Literal]
    together = [*([_literal(constants)] if constants else []), *others]
    return Union[tuple(together)] if together else Any


def _follow(schema: Any, root: Mapping[str, Any]) -> Any:
    for _ in range(32):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#"):
            break
        target: Any = root
        for part in filter(None, reference[1:].split("/")):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        schema = target
    return schema


def type_text(kind: Any) -> str:
    """A type as it is written in a stub: ``int``, ``Sequence[str]``, ``float | None``."""
    if kind is type(None):
        return "None"
    if kind in _NAMES:
        return _NAMES[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin is Union:
        texts = dict.fromkeys(type_text(arg) for arg in args)
        return " | ".join(sorted(texts, key=lambda text: text == "None"))
    if origin is Literal:
        return f"Literal[{', '.join(value_text(arg) for arg in args)}]"
    name = {Sequence: "Sequence", Mapping: "Mapping"}.get(origin, "Any")
    inner = ["str", type_text(args[1])] if name == "Mapping" else [type_text(arg) for arg in args]
    return f"{name}[{', '.join(inner)}]" if name != "Any" else name


def value_text(value: Any) -> str:
    """A value as it is written in Python, text in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return repr(value)


def default_text(param: Param) -> str:
    """``required``, ``default 10``, or ``default no limit`` where the schema writes the largest number."""
    if param.required:
        return "required"
    return f"default {'no limit' if is_limit(param.default) else value_text(param.default)}"


def is_limit(value: Any) -> bool:
    """Whether a bound is so large that it bounds nothing."""
    return isinstance(value, (int, float)) and abs(value) >= LIMIT


def lines_of(params: Sequence[Param]) -> Iterator[str]:
    """The parameters as lines of text: name, type, default, meaning."""
    for param in params:
        yield f"{param.name}: {type_text(param.type)}, {default_text(param)}"
        for line in param.doc.splitlines():
            yield f"    {line}"
