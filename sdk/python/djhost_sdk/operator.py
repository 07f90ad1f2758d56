"""The common part of all kinds of operators: a function, the fields it reads, its parameters, and calls row by row."""

import dataclasses
import inspect
import json
import re
import traceback
import typing
from dataclasses import dataclass, field

from . import hints, params
from .errors import Failed, InvalidParams, Reject

#: All operators of the modules that were imported, by name, in the order of their definition.
OPERATORS = {}

COSTS = ("light", "medium", "heavy")


@dataclass
class Signature:
    """What an operator reads and writes with given parameters; `writes` and `stats` have (path, type)."""

    reads: list
    writes: list = field(default_factory=list)
    stats: list = field(default_factory=list)


@dataclass
class Batch:
    """Rows: their ids, and (path, type, column) of each field in the order of the signature, then the stats that the rows have."""

    row_ids: list
    fields: list


class Operator:
    """A function as an operator. It can still be called like the function."""

    kind = ""

    def __init__(self, function, *, name=None, cost="light", columns=False):
        self.function = function
        self.name = name or function.__name__
        self.cost = cost
        self.columns = columns
        self.summary = " ".join(inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].split())
        self.hints = typing.get_type_hints(function, include_extras=True)
        self._split_arguments()
        if not re.fullmatch("[a-z][a-z0-9_]{0,63}", self.name):
            raise ValueError(f"`{self.name}` is no name for an operator: lower-case letters, digits and `_`, at most 64")
        if cost not in COSTS:
            raise ValueError(f"`{self.name}`: cost is {cost!r}; valid are {', '.join(COSTS)}")
        if not self.summary:
            raise ValueError(f"`{self.name}` needs a docstring: its first paragraph is what `djhost ops list` shows")
        # In the same module it is the same operator, defined again: in a notebook by running its cell once more.
        if OPERATORS.get(self.name, self).function.__module__ != function.__module__:
            raise ValueError(f"there are two operators `{self.name}`")
        OPERATORS[self.name] = self
        self.__doc__, self.__name__, self.__wrapped__ = function.__doc__, function.__name__, function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def _split_arguments(self):
        """Positional arguments are fields, keyword-only arguments are parameters."""
        self.arguments, self.params, self.common, self.struct = [], [], None, None
        for name, argument in inspect.signature(self.function).parameters.items():
            if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
                raise TypeError(f"`{self.name}`: `{argument}` says neither which fields are read nor which parameters there are")
            if name not in self.hints:
                raise TypeError(f"`{self.name}`: the argument `{name}` needs a type hint")
            hint = self.hints[name]
            if argument.kind != argument.KEYWORD_ONLY:
                self.arguments.append(hints.read_from(name, hint))
            elif hint is params.Common:
                self.common = name
            elif dataclasses.is_dataclass(hint):
                if self.struct or self.params:
                    raise TypeError(f"`{self.name}`: give the parameters as one dataclass or as keyword arguments, not both")
                self.struct = (name, hint)
            else:
                if self.struct:
                    raise TypeError(f"`{self.name}`: give the parameters as one dataclass or as keyword arguments, not both")
                self.params.append((name, hint, params.MISSING if argument.default is argument.empty else argument.default))
        if not any(self.arguments):
            raise TypeError(f"`{self.name}` reads no field: name one as a positional argument, `text: str`")

    @property
    def schema(self):
        """The JSON Schema of the parameters."""
        return params.object_schema(params.of_dataclass(self.struct[1]) if self.struct else self.params)

    def create(self, text):
        """One operator with parameters, a JSON object."""
        given = json.loads(text or "{}")
        names = [f.name for f in dataclasses.fields(params.Common)]
        common = params.Common(**{name: given.pop(name) for name in names if given.get(name) is not None})
        own = {name: value for name, value in given.items() if name not in names}
        if self.struct:
            name, kind = self.struct
            values = {name: params.make_dataclass(kind, own)}
        else:
            values = params.read_all(self.params, own)
        arguments = values | ({self.common: common} if self.common else {})
        return self.instance(self, common, values, arguments)


class Instance:
    """An operator with its parameters."""

    def __init__(self, op, common, values, arguments):
        self.op, self.common, self.values, self.arguments = op, common, values, arguments
        self.inputs = [self._here(argument) for argument in op.arguments if argument]

    def _here(self, argument):
        """The input with the path that the recipe means by `text`, `images`, `image_bytes` and so on."""
        keys = {"text": "text_key", "images": "image_key", "image_bytes": "image_bytes_key", "audios": "audio_key", "videos": "video_key"}
        key = keys.get(argument.path)
        return dataclasses.replace(argument, path=getattr(self.common, key)) if key else argument

    def param(self, name):
        """The value of a parameter."""
        if self.op.struct:
            return getattr(self.values[self.op.struct[0]], name)
        return self.values[name]

    def calls(self, batch, needed=None):
        """The answers of the function for all rows (None where it rejects one, or where the row is not `needed`), and the rejected rows."""
        function, keywords, rejected = self.op.function, self.arguments, []
        columns = iter(batch.fields)
        found = [None if argument is None else next(columns)[2] for argument in self.op.arguments]
        if self.op.columns:
            answers = self._guard(lambda: list(function(*(batch.row_ids if c is None else c for c in found), **keywords)))
            if len(answers) != len(batch.row_ids):
                raise Failed(f"`{self.op.name}` gave {len(answers)} answers for {len(batch.row_ids)} rows")
            for row, answer in enumerate(answers):
                if isinstance(answer, Reject):
                    rejected.append((row, str(answer)))
                    answers[row] = None
            return answers, rejected
        inputs = iter(self.inputs)
        streams = [iter(batch.row_ids) if c is None else hints.values(next(inputs), c) for c in found]
        answers = []
        for row, values in enumerate(zip(*streams, strict=True)):
            if needed is not None and not needed[row]:
                answers.append(None)
                continue
            try:
                answers.append(self.answer(function(*values, **keywords)))
            except Reject as reason:
                rejected.append((row, str(reason)))
                answers.append(None)
            except Exception as error:
                raise Failed(explain(error)) from error
        return answers, rejected

    def answer(self, value):
        """What is kept of the function's answer for a row; called while the row can still be blamed for it."""
        return value

    @staticmethod
    def _guard(call):
        try:
            return call()
        except Exception as error:
            raise Failed(explain(error)) from error


def explain(error):
    """An exception in one line, with its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def decorator(kind):
    """A decorator that can be used with and without arguments."""

    def decorate(function=None, /, **options):
        if function is not None:
            return kind(function, **options)
        return lambda function: kind(function, **options)

    return decorate


def create(name, text):
    """The operator of a recipe.

    Raises InvalidParams.
    """
    if name not in OPERATORS:
        raise InvalidParams(f"there is no operator `{name}` here; there are {', '.join(OPERATORS)}")
    return OPERATORS[name].create(text)
