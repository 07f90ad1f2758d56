"""A recipe in memory: a list of operators and the options of a job."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, MutableSequence
from pathlib import Path
from typing import Any, Optional, Union, overload

from djhost import _djhost
from djhost._yaml import dump
from djhost.errors import RecipeError, problem
from djhost.ops import Op, Operator
from djhost.ops._plain import plain

#: What stands for an operator in a list: the name alone, `{name: parameters}`, or one of `djhost.ops`, called or not.
Entry = Union[str, Mapping[str, Any], Operator]


class Recipe(MutableSequence[Op]):
    """A list of operators, :class:`djhost.ops.Op`, with the ``options`` of a job beside them.

    It stands wherever a recipe does. Operators are only looked for when the recipe is planned or run.

    >>> recipe = djhost.Recipe.from_list([{"text_length_filter": {"min_len": 5}}, "clean_links_mapper"], np=2)
    >>> recipe.append(djhost.ops.words_num_filter(min_num=1))
    >>> recipe
    Recipe([text_length_filter(min_len=5), clean_links_mapper(), words_num_filter(min_num=1)], np=2)
    >>> recipe.save("recipe.yaml")
    >>> djhost.Recipe.load("recipe.yaml") == recipe
    True
    """

    #: Every option of a recipe but `process`, as `configs/reference.yaml` describes them.
    options: dict[str, Any]

    def __init__(self, process: Iterable[Entry] = (), options: Optional[Mapping[str, Any]] = None) -> None:
        given = dict(options or {})
        if "process" in given:
            message = "the operators of a recipe are its list, and `process` is no option beside it"
            raise RecipeError([problem(message, path="process")])
        self.options = {key: plain(value, key) for key, value in given.items()}
        self._ops = [as_op(entry, i) for i, entry in enumerate(_checked_list(process))]

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> Recipe:
        """Reads a recipe as it is written, without defaults. Comments are not kept.

        Raises :class:`djhost.errors.RecipeError` with line and field of each mistake if it is no recipe. Whether its options and
        operators exist is checked when it is planned or run.
        """
        values = json.loads(_djhost.read_recipe(os.fspath(path)))
        process = values.pop("process", None) or []
        return cls(process, values)

    @classmethod
    def from_list(cls, process: Iterable[Entry], **options: Any) -> Recipe:
        """A recipe of operators: names, ``{name: parameters}``, or what :mod:`djhost.ops` makes."""
        return cls(process, options)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes it as YAML, which ``djhost run`` and :meth:`load` read as the same recipe. Replaces a file that is there."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

    def to_yaml(self) -> str:
        """The text that :meth:`save` writes."""
        return dump(self.options, list(self._ops))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as one mapping, options first, then ``process``."""
        return {**self.options, "process": [dict(op) for op in self._ops]}

    @property
    def plugins(self) -> list[str]:
        """Where its operators come from: what the option ``plugins`` names, and those of the operators themselves."""
        named = self.options.get("plugins") or []
        named = [named] if isinstance(named, str) else named
        return list(dict.fromkeys([*named, *(plugin for op in self._ops for plugin in op.plugins)]))

    def copy(self) -> Recipe:
        """A recipe that can be changed without changing this one."""
        return Recipe(self._ops, self.options)

    @overload
    def __getitem__(self, index: int) -> Op: ...

    @overload
    def __getitem__(self, index: slice) -> Recipe: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Op, Recipe]:
        if isinstance(index, slice):
            return Recipe(self._ops[index], self.options)
        return self._ops[index]

    @overload
    def __setitem__(self, index: int, value: Entry) -> None: ...

    @overload
    def __setitem__(self, index: slice, value: Iterable[Entry]) -> None: ...

    def __setitem__(self, index: Union[int, slice], value: Any) -> None:
        if isinstance(index, slice):
            self._ops[index] = [as_op(entry, i) for i, entry in enumerate(_checked_list(value))]
        else:
            self._ops[index] = as_op(value, index)

    def __delitem__(self, index: Union[int, slice]) -> None:
        del self._ops[index]

    def __len__(self) -> int:
        return len(self._ops)

    def insert(self, index: int, value: Entry) -> None:
        """Inserts an operator before ``index``."""
        self._ops.insert(index, as_op(value, index))

    def append(self, value: Entry) -> None:
        """Adds an operator at the end."""
        self.insert(len(self), value)

    def extend(self, values: Iterable[Entry]) -> None:
        """Adds operators at the end."""
        for value in _checked_list(values):
            self.append(value)

    def __iadd__(self, more: Iterable[Entry]) -> Recipe:
        self.extend(more)
        return self

    def __add__(self, more: Iterable[Entry]) -> Recipe:
        """A recipe with these operators behind its own, and the options of both; those of ``more`` take precedence."""
        options = more.options if isinstance(more, Recipe) else {}
        return Recipe([*self._ops, *_checked_list(more)], {**self.options, **options})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Recipe):
            return self._ops == other._ops and self.options == other.options
        return isinstance(other, (list, tuple)) and not self.options and self._ops == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Recipe([{', '.join(map(repr, self._ops))}]{options})"

    def _repr_html_(self) -> str:
        from djhost._html import recipe_html

        return recipe_html(self)


def as_op(entry: Any, index: int) -> Op:
    """An entry of ``process`` as an operator with parameters. ``index`` is for the message if it is none."""
    if isinstance(entry, Op):
        return Op(entry.name, entry.params, plugins=entry.plugins)
    if isinstance(entry, str):
        return Op(entry)
    if isinstance(entry, Operator):
        return entry()
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, params),) = entry.items()
        if isinstance(name, str) and (params is None or isinstance(params, Mapping)):
            return Op(name, params)
    hint = "write {name: {parameter: value}}, or djhost.ops.NAME(parameter=value)"
    raise RecipeError([problem(f"{entry!r} is no operator", path=f"process[{index}]", hint=hint)])


def _checked_list(process: Any) -> list[Any]:
    if isinstance(process, (Op, Operator)):
        return [process]
    if isinstance(process, (str, bytes, Mapping)):
        raise RecipeError([problem(f"a recipe is a list of operators, not {process!r}", path="process")])
    return list(process)
