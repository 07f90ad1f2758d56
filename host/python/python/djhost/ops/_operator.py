"""An operator as a function, and its application as an entry of a recipe."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from djhost import _djhost
from djhost.errors import ParameterError, RecipeError
from djhost.ops._describe import Description
from djhost.ops._plain import plain
from djhost.ops._schema import signature_of

if TYPE_CHECKING:
    from djhost import Result


class Op(Dict[str, Dict[str, Any]]):
    """An operator with parameters: an entry of a recipe, and a function of data.

    It is the mapping ``{name: parameters}``, so that it stands wherever a recipe has one. Called with data it runs alone, with the
    options of :func:`djhost.run`. Made by the functions of :mod:`djhost.ops`.

    >>> op = djhost.ops.text_length_filter(min_len=5)
    >>> op
    text_length_filter(min_len=5)
    >>> op == {"text_length_filter": {"min_len": 5}}
    True
    >>> op([{"text": "long enough"}, {"text": "no"}]).to_list()
    [{'text': 'long enough'}]
    """

    #: Where the operator comes from, if it is not built in: directories or components.
    plugins: tuple[str, ...]
    #: It is an entry of a recipe, not a recipe.
    is_entry = True

    def __init__(self, name: str, params: Optional[Mapping[str, Any]] = None, *, plugins: Iterable[str] = ()) -> None:
        super().__init__({name: plain(dict(params or {}), name)})
        self.plugins = tuple(plugins)

    @property
    def name(self) -> str:
        """The operator."""
        return next(iter(self))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that were given."""
        return self[self.name]

    def __call__(self, data: Any, **options: Any) -> Result:
        """Runs this operator alone on ``data``; ``options`` are those of :func:`djhost.run`."""
        import djhost

        return djhost.run(data, [self], **options)

    def __repr__(self) -> str:
        params = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.name}({params})"

    def _repr_html_(self) -> str:
        from djhost._html import op_html

        return op_html(self)

    def __reduce__(self) -> Any:
        return (_restore, (self.name, self.params, self.plugins))


def _restore(name: str, params: Mapping[str, Any], plugins: Sequence[str]) -> Op:
    return Op(name, params, plugins=plugins)


class Operator:
    """A function that makes an :class:`Op` of parameters. Signature and docstring come from the operator's schema.

    >>> import inspect
    >>> print(inspect.signature(djhost.ops.words_num_filter).parameters["min_num"])
    min_num: int = 10
    >>> djhost.ops.words_num_filter(min_mun=5)
    Traceback (most recent call last):
        ...
    djhost.errors.ParameterError: words_num_filter.min_mun: there is no parameter `min_mun`
      hint: did you mean `min_num`? ...
    """

    #: Without a call it is an entry of a recipe, too, with default parameters.
    is_entry = True

    def __init__(self, description: Description, plugins: Iterable[str] = ()) -> None:
        self.description = description
        self.plugins = tuple(plugins)
        self.__name__ = self.__qualname__ = description.name
        self.__module__ = "djhost.ops"
        self.__doc__ = description.docstring()
        self.__signature__ = signature_of(description.params, Op)

    def __call__(self, *args: Any, **params: Any) -> Op:
        """Makes an entry of a recipe. Raises :class:`djhost.errors.ParameterError` for a parameter or value that is not valid."""
        name = self.description.name
        if args:
            first = next((p.name for p in self.description.params), None)
            write = f"{first}=…" if first else ""
            raise TypeError(f"{name}() takes its parameters by name, and data in a second call: ops.{name}({write})(data)")
        op = Op(name, params, plugins=self.plugins)
        schema = json.dumps(self.description.schema)
        try:
            _djhost.check_entry(name, json.dumps(op.params), schema)
        except RecipeError as error:
            raise ParameterError(error.problems) from None
        return op

    def to_dict(self) -> dict[str, Any]:
        """The entry of a recipe without parameters."""
        return {self.description.name: {}}

    def __repr__(self) -> str:
        return f"<operator {self.description.name}: {self.description.summary}>"

    def _repr_html_(self) -> str:
        return self.description._repr_html_()


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``; did you mean …?``, or nothing if no name is near."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.75)
    return f"; did you mean `{near[0]}`?" if near else ""
