"""What is known of an operator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from djhost.ops._schema import Param, lines_of, params_of, type_text

#: The types of fields, in words of Python.
_TYPES = {
    "utf8": "str",
    "s64": "int",
    "f64": "float",
    "json": "any",
    "utf8_list": "list of str",
    "f64_list": "list of float",
    "s64_list": "list of int",
    "bytes_list": "list of bytes",
}


def _type(name: Any) -> str:
    """A type of the contract; that of vectors has their width."""
    if isinstance(name, dict):
        return f"vector of {name['vector']} floats"
    return _TYPES.get(name, str(name))


_NAMED_KINDS = ("deduplicator", "grouper")


@dataclass(frozen=True, repr=False)
class Description:
    """An operator: what it does, its parameters, the fields it reads and writes, an example.

    Shown as text on a terminal and as a table in a notebook.

    >>> print(djhost.ops.show("text_length_filter").summary)
    Keeps texts whose number of characters lies in a range.
    """

    #: Its name in a recipe.
    name: str
    #: `filter`, `mapper`, `deduplicator`, `selector` or `grouper`.
    kind: str
    #: What it does, in a sentence.
    summary: str
    #: Its work per row: `light`, `medium` or `heavy`.
    cost: str
    #: Where it comes from: `built-in PACK`, or the path of a component.
    source: str
    #: The JSON Schema of its parameters.
    schema: Mapping[str, Any] = field(hash=False)
    #: Fields that it reads, writes and computes as stats, with default parameters; None if it has none or that is not known.
    signature: Optional[Mapping[str, Any]] = field(default=None, hash=False)
    #: `params`, rows of `input`, and the rows of `output` made from them.
    example: Optional[Mapping[str, Any]] = field(default=None, hash=False)

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Description:
        """A description from what the host says about an operator."""
        name = entry["name"]
        named = next((kind for kind in _NAMED_KINDS if name.endswith(f"_{kind}")), None)
        return cls(
            name=name,
            kind=named or entry["kind"],
            summary=entry["summary"],
            cost=entry["cost"],
            source=entry["source"],
            schema=entry["params_schema"],
            signature=entry.get("signature"),
            example=entry.get("example"),
        )

    @property
    def params(self) -> list[Param]:
        """Its own parameters."""
        return params_of(self.schema)

    def fields(self, what: str) -> list[tuple[str, str]]:
        """Path and type of the fields that it ``reads``, ``writes``, or has as ``stats``, with default parameters."""
        key = "writes_stats" if what == "stats" else what
        found = (self.signature or {}).get(key, ())
        return [(entry["path"], _type(entry["ty"])) for entry in found]

    def docstring(self) -> str:
        """The docstring of its function."""
        return "\n".join(self._lines(call=True))

    def __repr__(self) -> str:
        return "\n".join(self._lines(call=False))

    def _lines(self, call: bool) -> Iterator[str]:
        if call:
            yield self.summary
            yield ""
            yield f"A {self.kind} of {self.source}, {self.cost} work per row."
        else:
            yield f"{self.name}  ({self.kind}, {self.cost} work per row)"
            yield ""
            yield self.summary
        yield ""
        yield "Parameters:" if call else "parameters"
        own = ["    " + line for line in lines_of(self.params)] or ["    none"]
        yield from own
        more = ["text_key, image_key, image_bytes_key, audio_key, video_key, on_error, limits, grants"]
        if self.kind == "filter":
            more.append("and every filter: min_closed_interval, max_closed_interval, reversed_range")
        yield f"    Every operator takes {'; '.join(more)}."
        if self.signature:
            yield ""
            for what in ("reads", "writes", "stats"):
                named = ", ".join(f"{path} ({kind})" for path, kind in self.fields(what))
                yield f"{what:7} {named or 'nothing'}"
        if self.example:
            yield ""
            yield "Example:" if call else "example"
            yield from ("    " + line for line in self.example_lines())
        if not call:
            yield ""
            yield f"from    {self.source}"

    def example_lines(self) -> Iterator[str]:
        """Its example: a call, the rows that go in, those that come out."""
        example = self.example or {}
        if example.get("about"):
            yield example["about"]
        params = ", ".join(f"{name}={value!r}" for name, value in example.get("params", {}).items())
        yield f"{self.name}({params})"
        for sign, key in (("in ", "input"), ("out", "output")):
            for row in example.get(key, ()):
                yield f"{sign} {json.dumps(row, ensure_ascii=False)}"

    def _repr_html_(self) -> str:
        from djhost._html import description_html

        return description_html(self)


__all__ = ["Description", "Param", "type_text"]
