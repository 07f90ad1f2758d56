"""Translates type hints for the contract: the fields that a function reads, and the types of its results."""

import collections.abc
import types
import typing
from dataclasses import dataclass

from . import columns
from .columns import Vector


class Field:
    """`Annotated[str, Field("meta.lang")]`: the path of the field that an argument is read from, where it is not its name."""

    def __init__(self, path):
        self.path = path


class Blob(bytes):
    """The type of a field of bytes, such as an image: `image: Blob`, `images: list[Blob]`. The values are `bytes`, of binary columns and of
    images as Hugging Face's `datasets` stores them, in JSON of hexadecimal digits. (`bytes` is a text that is not decoded.)"""


class RowId(int):
    """The type of an argument that takes the id of the row: unique in a job, rising, and independent of partitions and batches. Seed a
    random choice with it."""


@dataclass
class Input:
    """A field to read."""

    path: str
    type: str | Vector
    required: bool
    raw: bool = False


_TYPES = {
    str: columns.UTF8,
    bytes: columns.UTF8,
    float: columns.F64,
    int: columns.S64,
    bool: columns.BOOLEAN,
    typing.Any: columns.JSON,
    dict: columns.JSON,
    list: columns.JSON,
    list[str]: columns.UTF8_LIST,
    list[float]: columns.F64_LIST,
    list[int]: columns.S64_LIST,
    Blob: columns.BYTES,
    list[Blob]: columns.BYTES_LIST,
}


def plain(hint):
    """The hint without `Annotated` and `| None`, the annotations, and whether None is allowed."""
    notes = ()
    if typing.get_origin(hint) is typing.Annotated:
        hint, *notes = typing.get_args(hint)
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
        optional = len(choices) < len(typing.get_args(hint))
        hint = choices[0] if len(choices) == 1 else typing.Union[tuple(choices)]
    if typing.get_origin(hint) is typing.Annotated:
        hint, inner, _ = plain(hint)
        notes = (*notes, *inner)
    return hint, tuple(notes), optional


def column_type(hint, what):
    """The column type for a hint."""
    hint, notes, _ = plain(hint)
    vector = next((note for note in (hint, *notes) if isinstance(note, Vector)), None)
    if vector is not None:
        if not 1 <= vector.width <= 65536:
            raise TypeError(f"{what} is a vector of {vector.width} numbers; 1 to 65536 are allowed")
        return vector
    if typing.get_origin(hint) is dict:
        hint = dict
    try:
        return _TYPES[hint]
    except (KeyError, TypeError):
        valid = "str, bytes, int, float, bool, list[str], list[float], list[int], Blob, list[Blob], Vector(n), and dict, list or Any for JSON"
        raise TypeError(f"{what} has the type {hint}; valid are {valid}, each also with `| None`") from None


def element(hint):
    """The type of the elements of `list[T]`, `Iterator[T]` and the like."""
    hint = plain(hint)[0]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if args and isinstance(origin, type) and issubclass(origin, collections.abc.Iterable):
        return args[0]
    return None


def read_from(name, hint):
    """The input for an argument; None for one that takes the row's id. `text` stands for the field of the recipe's `text_key`."""
    kind, notes, optional = plain(hint)
    if kind is RowId:
        return None
    path = next((note.path for note in notes if isinstance(note, Field)), name)
    return Input(path, column_type(hint, f"the argument `{name}`"), not optional, kind is bytes)


def values(field, column):
    """The values of a column that the function receives, row by row."""
    return column.raw() if field.raw else columns.decode(field.type, column)
