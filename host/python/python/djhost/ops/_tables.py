"""The operators by name: built-in ones from a table in the package, others from their components."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any, Union

from djhost import _djhost
from djhost.ops._describe import Description
from djhost.ops._operator import Operator, did_you_mean

#: A directory with components, one component, or what `djhost.build` made.
Plugin = Union[str, "os.PathLike[str]"]


@lru_cache(maxsize=1)
def built_in() -> dict[str, Operator]:
    """The operators inside of djhost. `generate.py` writes the table, so that nothing is compiled to list them."""
    text = resources.files("djhost.ops").joinpath("_built_in.json").read_text("utf-8")
    return {entry["name"]: Operator(Description.read(entry)) for entry in json.loads(text)}


def all_operators(plugins: Union[Plugin, Iterable[Plugin]] = (), allow_override: Iterable[str] = ()) -> dict[str, Operator]:
    """The built-in operators and those of plugins, by name; without plugins those of the environment."""
    given = paths(plugins)
    if not given and not _djhost.environment_has_plugins():
        return built_in()
    entries = json.loads(_djhost.describe_operators(given, list(allow_override), None))
    of_plugins = [Operator(Description.read(entry), given) for entry in entries]
    return {**built_in(), **{operator.description.name: operator for operator in of_plugins}}


def find(name: str, plugins: Union[Plugin, Iterable[Plugin]] = (), allow_override: Iterable[str] = ()) -> Operator:
    """The operator ``name``, or an ``AttributeError`` that says what there is."""
    if name in built_in() and not allow_override and not _djhost.environment_has_plugins():
        return built_in()[name]
    operators = all_operators(plugins, allow_override)
    if name in operators:
        return operators[name]
    lacking = _djhost.lacking_operator(name)
    if lacking is not None:
        raise AttributeError(lacking)
    near = did_you_mean(name, operators)
    raise AttributeError(f"there is no operator `{name}`{near or '; djhost.ops.list() shows all'}")


def in_full(operator: Operator, allow_override: Iterable[str] = ()) -> Description:
    """The description of an operator with the fields that it reads and writes, which a list of plugins has not."""
    if operator.description.signature is not None or not operator.plugins:
        return operator.description
    named = _djhost.describe_operators(list(operator.plugins), list(allow_override), [operator.description.name])
    return Description.read(json.loads(named)[0])


def paths(plugins: Union[Plugin, Iterable[Plugin]]) -> list[str]:
    """Plugins as paths; one alone is a list of one."""
    if isinstance(plugins, (str, os.PathLike)):
        plugins = [plugins]
    return [os.fsdecode(plugin) for plugin in plugins]


def matches(description: Description, words: Iterable[str]) -> bool:
    """Whether all words are in the name, kind, source, summary or parameters."""
    params = " ".join(param.name for param in description.params)
    text = f"{description.name} {description.kind} {description.source} {description.summary} {params}".lower()
    return all(word.lower() in text for word in words)


__all__ = ["Any", "Plugin", "all_operators", "built_in", "find", "matches", "paths"]
