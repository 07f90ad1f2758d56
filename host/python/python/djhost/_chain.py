"""``djhost.read(data).clean_links_mapper().text_length_filter(min_len=9).run()``"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Union

from djhost._recipes import Entry, Recipe, as_op
from djhost.ops import Op, Operator
from djhost.ops._operator import did_you_mean
from djhost.ops._tables import Plugin, all_operators, find, paths

if TYPE_CHECKING:
    from djhost import Job, Plan, Result


def read(data: Any, *, plugins: Union[Plugin, Iterable[Plugin]] = (), **options: Any) -> Chain:
    """Begins a chain of operators over ``data``, which nothing reads before the chain is run.

    ``data`` and ``options`` are those of :func:`djhost.run`; the operators of ``plugins`` are methods of the chain, too.

    >>> chain = djhost.read([{"text": "see https://example.org"}, {"text": "ok"}])
    >>> chain.clean_links_mapper().text_length_filter(min_len=3).run().to_list()
    [{'text': 'see '}]
    """
    return Chain(data, (), paths(plugins), options)


class Chain:
    """Data and the operators that are to run over it. Made by :func:`djhost.read`.

    Every operator is a method, with its parameters, that returns a new chain; this one stays what it is, so that several can begin
    with the same steps. Shown as its plan.
    """

    def __init__(self, data: Any, ops: Iterable[Op], plugins: Iterable[str], options: Mapping[str, Any]) -> None:
        self._data = data
        self._ops = tuple(ops)
        self._plugins = tuple(plugins)
        self._options = dict(options)

    def then(self, *entries: Entry) -> Chain:
        """Adds operators: names, ``{name: parameters}``, or what :mod:`djhost.ops` or :func:`djhost.build` makes."""
        more = [as_op(entry, len(self._ops) + i) for i, entry in enumerate(entries)]
        return Chain(self._data, [*self._ops, *more], self._plugins, self._options)

    def options(self, **options: Any) -> Chain:
        """Sets options of :func:`djhost.run`; those that were set before stay unless they are named again."""
        return Chain(self._data, self._ops, self._plugins, {**self._options, **options})

    def recipe(self) -> Recipe:
        """The operators as a recipe, without data and options."""
        recipe = Recipe(self._ops)
        plugins = list(dict.fromkeys([*self._plugins, *recipe.plugins]))
        return Recipe(self._ops, {"plugins": plugins} if plugins else {})

    def plan(self, **options: Any) -> Plan:
        """What :meth:`run` would do; checks everything and writes nothing. See :func:`djhost.plan`."""
        import djhost

        return djhost.plan(self._data, list(self._ops), **self._with(options))

    def check(self, **options: Any) -> Any:
        """Checks everything that :meth:`run` checks before it starts. See :func:`djhost.check`."""
        import djhost

        return djhost.check(list(self._ops), self._data, **self._with(options))

    def run(self, **options: Any) -> Result:
        """Runs the operators and returns the result. See :func:`djhost.run`."""
        import djhost

        return djhost.run(self._data, list(self._ops), **self._with(options))

    def start(self, **options: Any) -> Job:
        """Starts the operators and returns at once. See :func:`djhost.start`."""
        import djhost

        return djhost.start(self._data, list(self._ops), **self._with(options))

    def _with(self, options: Mapping[str, Any]) -> dict[str, Any]:
        found = {**self._options, **options}
        more = paths(found.pop("plugins", ()))
        plugins = dict.fromkeys([*self._plugins, *more, *(plugin for op in self._ops for plugin in op.plugins)])
        return {**found, "plugins": list(plugins)} if plugins else found

    def __getattr__(self, name: str) -> _Step:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return _Step(self, find(name, self._plugins))
        except AttributeError:
            near = did_you_mean(name, [own for own in vars(Chain) if not own.startswith("_")])
            if not near:
                raise
            raise AttributeError(f"a chain has no operator or method `{name}`{near}") from None

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *all_operators(self._plugins)]

    def __iter__(self) -> NoReturn:
        raise TypeError("a chain has no rows before it is run: iterate over chain.run()")

    def __repr__(self) -> str:
        return "\n".join([*self._steps(), "", _plan_text(self)])

    def _steps(self) -> list[str]:
        return [f"djhost.read({_short(self._data)})", *(f"    .{op!r}" for op in self._ops)]

    def _repr_html_(self) -> str:
        from djhost._html import chain_html

        return chain_html(self._steps(), lambda: self.plan())


class _Step:
    """A method of a chain: an operator that returns the chain with it."""

    def __init__(self, chain: Chain, operator: Operator) -> None:
        self._chain, self._operator = chain, operator
        self.__name__ = self.__qualname__ = operator.description.name
        self.__doc__ = operator.__doc__
        self.__signature__ = inspect.signature(operator).replace(return_annotation=Chain)

    def __call__(self, *args: Any, **params: Any) -> Chain:
        return self._chain.then(self._operator(*args, **params))

    def __repr__(self) -> str:
        return f"<step {self._operator.description.name}: {self._operator.description.summary}>"


def _plan_text(chain: Chain) -> str:
    try:
        return str(chain.plan())
    except Exception as error:  # What a `repr` raises nobody sees.
        return f"no plan: {error}"


def _short(data: Any) -> str:
    if isinstance(data, str):
        return repr(data)
    kind = type(data)
    try:
        return f"<{kind.__module__.split('.')[0]}.{kind.__qualname__} of {len(data):,} rows>"
    except TypeError:
        return f"<{kind.__module__.split('.')[0]}.{kind.__qualname__}>"
