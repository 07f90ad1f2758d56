"""The operators as functions: ``djhost.ops.NAME(parameters)`` is an entry of a recipe, and a function of data.

>>> djhost.ops.text_length_filter(min_len=5)([{"text": "long enough"}, {"text": "no"}]).to_list()
[{'text': 'long enough'}]
>>> r = djhost.run([{"text": "see https://example.org/ now"}], [djhost.ops.clean_links_mapper()])
>>> r.to_list()
[{'text': 'see  now'}]

:func:`list` and :func:`show` describe them; those of plugins are the attributes of ``djhost.ops.list(plugins=[…])``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Union

from djhost.ops._describe import Description
from djhost.ops._list import Operators
from djhost.ops._operator import Op, Operator
from djhost.ops._schema import Param
from djhost.ops._tables import Plugin, all_operators, find, in_full, matches

# Without `list`, which would take the place of Python's own where somebody imports all.
__all__ = ["Description", "Op", "Operator", "Operators", "Param", "show"]

_KINDS = ("filter", "mapper", "deduplicator", "selector", "grouper")


def list(  # noqa: A001 (the name that `djhost ops list` has)
    *words: str, kind: Optional[str] = None, plugins: Union[Plugin, Iterable[Plugin]] = (), allow_override: Iterable[str] = ()
) -> Operators:
    """The operators that have all ``words`` in their name, kind, source, summary or parameters.

    ``kind`` is ``filter``, ``mapper``, ``deduplicator``, ``selector`` or ``grouper``. ``plugins`` are directories with components,
    or components; without them those of ``DJHOST_PLUGINS``. An operator of a plugin with the name of a built-in one is left out
    unless ``allow_override`` has its name. Raises :class:`djhost.errors.DjhostError` if a plugin cannot be used.

    >>> [op.name for op in djhost.ops.list("length", kind="filter")]
    ['average_line_length_filter', ..., 'text_length_filter']
    """
    singular = kind[:-1] if kind and kind.endswith("s") else kind
    if singular is not None and singular not in _KINDS:
        raise ValueError(f"there is no kind of operators {kind!r}; valid are {', '.join(_KINDS)}")
    found = [
        operator
        for operator in all_operators(plugins, allow_override).values()
        if (singular is None or operator.description.kind == singular) and matches(operator.description, words)
    ]
    return Operators(sorted(found, key=lambda operator: (_KINDS.index(operator.description.kind), operator.description.name)))


def show(name: str, *, plugins: Union[Plugin, Iterable[Plugin]] = (), allow_override: Iterable[str] = ()) -> Description:
    """What is known of an operator: parameters, fields, stats, an example. Shown as text, in a notebook as a table.

    Raises ``AttributeError`` with the likely name if there is no such operator; ``plugins`` as for :func:`list`.

    >>> djhost.ops.show("clean_links_mapper").kind
    'mapper'
    """
    found = find(name, plugins, allow_override)
    return in_full(found, allow_override)


def __getattr__(name: str) -> Operator:
    if name.startswith("_"):
        raise AttributeError(f"module 'djhost.ops' has no attribute {name!r}")
    return find(name)


def __dir__() -> Any:
    return sorted([*__all__, "list", *all_operators()])
