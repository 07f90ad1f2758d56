"""A list of operators, to look at and to take from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from djhost.ops._describe import Description
from djhost.ops._operator import Operator, did_you_mean

if TYPE_CHECKING:
    _Base = list[Description]
else:
    _Base = list


class Operators(_Base):
    """Descriptions of operators, by kind and name; an operator of the list is its attribute.

    >>> djhost.ops.list("clean_links")
    clean_links_mapper  mapper  Removes links, or puts something in their place.
    >>> djhost.ops.list("clean_links").clean_links_mapper()
    clean_links_mapper()
    """

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._by_name = {operator.description.name: operator for operator in operators}
        super().__init__(operator.description for operator in self._by_name.values())

    def __getattr__(self, name: str) -> Operator:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._by_name:
            raise AttributeError(f"the list has no operator `{name}`{did_you_mean(name, self._by_name)}")
        return self._by_name[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._by_name]

    def __repr__(self) -> str:
        if not self:
            return "no operators"
        name, kind = max(len(d.name) for d in self), max(len(d.kind) for d in self)
        return "\n".join(f"{d.name:{name}}  {d.kind:{kind}}  {d.summary}" for d in self)

    def _repr_html_(self) -> str:
        from djhost._html import operators_html

        return operators_html(self)
