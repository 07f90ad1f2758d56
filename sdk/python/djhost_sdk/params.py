"""Parameters: the schema from type hints, and typed values from the recipe's JSON."""

import dataclasses
import json
import math
import typing
from dataclasses import dataclass

from . import models
from .errors import InvalidParams
from .hints import plain


@dataclass(frozen=True)
class Param:
    """`Annotated[float, Param("The least share.", min=0, max=1)]`: what a parameter means, and its bounds (of a list, those of its
    elements)."""

    doc: str = ""
    min: float | None = None
    max: float | None = None


@dataclass
class Common:
    """The parameters that every operator has. A keyword argument of this type gets them."""

    text_key: str = "text"
    image_key: str = "images"
    image_bytes_key: str = "image_bytes"
    audio_key: str = "audios"
    video_key: str = "videos"
    min_closed_interval: bool = True
    max_closed_interval: bool = True
    reversed_range: bool = False
    seed: int = 42

    def keeps(self, value, low, high):
        """Data-Juicer's test: whether `value` is between `low` and `high` (None = no bound), or outside with `reversed_range`. A closed
        end belongs to what is kept."""
        low = -math.inf if low is None else low
        high = math.inf if high is None else high
        above = value >= low if self.min_closed_interval != self.reversed_range else value > low
        below = value <= high if self.max_closed_interval != self.reversed_range else value < high
        return (above and below) != self.reversed_range


_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schema_of(hint):
    """The JSON Schema of one type."""
    kind, notes, optional = plain(hint)
    note = next((note for note in notes if isinstance(note, Param)), Param())
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind in _NAMES:
        schema = {"type": _NAMES[kind]}
        bounds = schema
    elif origin is typing.Literal:
        schema = bounds = {"enum": list(args)}
    elif origin is list:
        schema = {"type": "array", "items": schema_of(args[0])}
        bounds = schema["items"]
    elif origin is dict:
        schema = {"type": "object", "additionalProperties": schema_of(args[1])}
        bounds = schema["additionalProperties"]
    elif models.is_model(kind):
        schema = bounds = {"type": "string", "format": "model", "x-model": {"kind": kind.kind} | ({"optional": True} if optional else {})}
    elif dataclasses.is_dataclass(kind):
        schema = bounds = object_schema(of_dataclass(kind))
    else:
        raise TypeError(f"a parameter cannot be {kind}; valid are str, bool, int, float, Literal, list[T], dict[str, T], models and dataclasses")
    bounds |= {key: bound for key, bound in (("minimum", note.min), ("maximum", note.max)) if bound is not None}
    if note.doc:
        schema["description"] = note.doc
    if optional and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


MISSING = object()


def of_dataclass(kind):
    """Names, hints and defaults of the parameters that a dataclass has. Those with `init=False` are its own affair."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        if field.init:
            default = MISSING
            if field.default is not dataclasses.MISSING:
                default = field.default
            elif field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            found.append((field.name, hints[field.name], default))
    return found


def object_schema(params):
    """The JSON Schema of parameters."""
    properties, required = {}, []
    for name, hint, default in params:
        schema = schema_of(hint)
        if default is MISSING:
            required.append(name)
        elif not (isinstance(default, float) and not math.isfinite(default)):
            schema["default"] = dataclasses.asdict(default) if dataclasses.is_dataclass(default) else default
        properties[name] = schema
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def read(hint, value, place):
    """A JSON value as the type of a parameter."""
    kind, notes, optional = plain(hint)
    if value is None and optional:
        return None
    origin, args = typing.get_origin(kind), typing.get_args(kind)

    def wrong(expected):
        return InvalidParams(f"`{place}`: expected {expected}, not {json.dumps(value)}")

    if models.is_model(kind):
        if not isinstance(value, str):
            raise wrong("the name of a model")
        return models.opened(kind, place, optional)
    if origin is typing.Literal:
        if value not in args:
            raise wrong(" or ".join(f"`{arg}`" for arg in args))
        return value
    if origin is list:
        if not isinstance(value, list):
            raise wrong("a list")
        inner = typing.Annotated[args[0], *notes] if notes else args[0]
        return [read(inner, item, f"{place}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise wrong("a mapping")
        inner = typing.Annotated[args[1], *notes] if notes else args[1]
        return {key: read(inner, item, f"{place}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise wrong("a mapping")
        return make_dataclass(kind, value, f"{place}.")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and number:
        value = float(value)
    elif kind is int and number and float(value).is_integer():
        value = int(value)
    elif kind not in (str, bool) or not isinstance(value, kind):
        raise wrong({str: "a string", bool: "true or false", int: "a whole number", float: "a number"}[kind])
    for note in notes:
        if isinstance(note, Param):
            if note.min is not None and value < note.min:
                raise wrong(f"at least {note.min}")
            if note.max is not None and value > note.max:
                raise wrong(f"at most {note.max}")
    return value


def read_all(params, given, place=""):
    """The values of parameters by name; a null where None is not allowed is a parameter that is not given."""
    names = [name for name, _, _ in params]
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        valid = f"valid are `{'`, `'.join(names)}`" if names else "there are none"
        raise InvalidParams(f"no parameter `{place}{unknown}`: {valid}")
    values = {}
    for name, hint, default in params:
        if name in given and (given[name] is not None or plain(hint)[2]):
            values[name] = read(hint, given[name], place + name)
        elif default is MISSING:
            raise InvalidParams(f"`{place}{name}` is missing and has no default")
        else:
            values[name] = default
    return values


def make_dataclass(kind, given, place=""):
    """A dataclass of parameters. A ValueError of its `__post_init__`, or a file that it cannot read, says what is wrong with them."""
    values = read_all(of_dataclass(kind), given, place)
    try:
        return kind(**values)
    except (ValueError, OSError) as error:
        raise InvalidParams(str(error)) from error
