"""Recipes and options as the native module takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Union, runtime_checkable

__all__ = ["RecipeLike", "SupportsToDict", "listed", "options_of", "plugins_of", "recipe_of"]


@runtime_checkable
class SupportsToDict(Protocol):
    """A recipe, or one entry of it, as an object: ``to_dict`` gives what YAML would hold."""

    def to_dict(self) -> dict[str, Any]: ...


RecipeLike = Union[
    str,
    "os.PathLike[str]",
    Mapping[str, Any],
    SupportsToDict,
    Iterable[Union[str, Mapping[str, Any], SupportsToDict]],
    None,
]
"""A path of a YAML file, a list of operators, a dict with `process` and options, or a `Recipe`."""

# Options with a structure of their own: their keys are not options.
_WHOLE = frozenset({"process", "dataset", "expect"})


def recipe_of(recipe: RecipeLike) -> Union[None, str, dict[str, Any]]:
    """Return the path of the recipe, or what its YAML would hold."""
    if recipe is None:
        return None
    if isinstance(recipe, (str, os.PathLike)):
        return os.fspath(recipe)
    if isinstance(recipe, SupportsToDict):
        recipe = recipe.to_dict()
    if isinstance(recipe, Mapping):
        return {str(key): _plain(value) for key, value in recipe.items()}
    return {"process": [_plain(entry) for entry in recipe]}


def listed(recipe: RecipeLike) -> RecipeLike:
    """Return a list for an iterator, which can be read only once, and for a single operator of `djhost.ops`."""
    if getattr(recipe, "is_entry", False):
        return [recipe]  # type: ignore[list-item]
    return list(recipe) if isinstance(recipe, Iterator) else recipe


def plugins_of(recipe: RecipeLike, options: Mapping[str, Any]) -> list[Any]:
    """Return where operators come from, if entries of the recipe say so themselves, as those of `djhost.build` do.

    Then the list also has the plugins that the options name, or else the recipe. Without such entries it is empty.
    """
    if isinstance(recipe, str) or not isinstance(recipe, Sequence):
        return []
    own = [plugin for entry in recipe for plugin in getattr(entry, "plugins", ())]
    if not own:
        return []
    named = options.get("plugins")
    if named is None:
        named = getattr(recipe, "options", {}).get("plugins") or []
    named = [named] if isinstance(named, (str, os.PathLike)) else named
    return list(dict.fromkeys(map(os.fspath, [*named, *own])))


def options_of(options: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return options by their dotted keys.

    ``__`` stands for a dot, and a dict for the keys of a section or the parameters of an operator:

    >>> options_of({"np": 2, "partition__size": 5, "checkpoint": {"strategy": "every_op"}})
    [('np', 2), ('partition.size', 5), ('checkpoint.strategy', 'every_op')]
    """
    flat: list[tuple[str, Any]] = []
    for key, value in options.items():
        key = key if key.startswith("__") else key.replace("__", ".")
        value = _plain(value)
        if isinstance(value, dict) and key not in _WHOLE and "." not in key:
            flat.extend((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            flat.append((key, value))
    return flat


def _plain(value: Any) -> Any:
    """Return paths as texts, and mappings as dicts, at any depth."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, SupportsToDict):
        return _plain(value.to_dict())
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
