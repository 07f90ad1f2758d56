"""Types of the public names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, ParamSpec, TypeVar, overload

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")
_Cost = Literal["light", "medium", "heavy"]

__all__ = [
    "Blob",
    "Blobs",
    "Common",
    "FastText",
    "Field",
    "InvalidParams",
    "KenLM",
    "Lines",
    "Lists",
    "Numbers",
    "Onnx",
    "Param",
    "Reject",
    "RowId",
    "Substrings",
    "Tensor",
    "Texts",
    "Tokenizer",
    "Vector",
    "Vectors",
    "Words",
    "deduplicator",
    "expander",
    "filter",
    "mapper",
    "selector",
]

class _Operator(Generic[_P, _R]):
    """A function as an operator. It can still be called like the function."""

    name: str
    kind: str
    summary: str
    cost: str
    function: Callable[_P, _R]
    @property
    def schema(self) -> dict[str, Any]: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...

@overload
def filter(function: Callable[_P, _R], /) -> _Operator[_P, _R]: ...
@overload
def filter(
    *,
    stat: str | None = None,
    stats: Mapping[str, Any] | None = None,
    range: tuple[str | None, str | None] | None = None,
    keep: Callable[..., bool] | None = None,
    name: str | None = None,
    cost: _Cost = "light",
    columns: bool = False,
) -> Callable[[Callable[_P, _R]], _Operator[_P, _R]]:
    """A function that returns a stat (kept by range), several (kept by keep), or whether the row stays."""

@overload
def mapper(function: Callable[_P, _R], /) -> _Operator[_P, _R]: ...
@overload
def mapper(
    *, writes: Mapping[str, Any] | None = None, name: str | None = None, cost: _Cost = "light", columns: bool = False
) -> Callable[[Callable[_P, _R]], _Operator[_P, _R]]:
    """A function that returns the new text, or a dict of fields; None changes nothing."""

@overload
def expander(function: Callable[_P, _R], /) -> _Operator[_P, _R]: ...
@overload
def expander(
    *, writes: Mapping[str, Any] | None = None, name: str | None = None, cost: _Cost = "light", columns: bool = False
) -> Callable[[Callable[_P, _R]], _Operator[_P, _R]]:
    """A function that returns the texts, or dicts of fields, of the rows to make of this one."""

@overload
def deduplicator(function: Callable[_P, _R], /) -> _Operator[_P, _R]: ...
@overload
def deduplicator(
    *, per_row: int = 1, width: Literal[8, 16] = 16, name: str | None = None, cost: _Cost = "medium", columns: bool = False
) -> Callable[[Callable[_P, _R]], _Operator[_P, _R]]:
    """A function that returns a fingerprint; None is nobody's duplicate."""

def selector(
    *, choose: Callable[..., Sequence[bool]], name: str | None = None, cost: _Cost = "light", columns: bool = False
) -> Callable[[Callable[_P, _R]], _Operator[_P, _R]]:
    """A function that returns the row's key; choose gets those of all rows and gives a flag for each."""

class Field:
    """The path of the field that an argument is read from, where it is not its name."""

    path: str
    def __init__(self, path: str) -> None: ...

class Blob(bytes):
    """The type of a field of bytes, such as an image; the values are bytes."""

@dataclass(frozen=True)
class Vector:
    """So many numbers of single precision, such as an embedding."""

    width: int

class RowId(int):
    """The type of an argument that takes the id of the row."""

@dataclass(frozen=True)
class Param:
    """What a parameter means, and its bounds."""

    doc: str = ""
    min: float | None = None
    max: float | None = None

@dataclass
class Common:
    """The parameters that every operator has."""

    text_key: str = "text"
    image_key: str = "images"
    image_bytes_key: str = "image_bytes"
    audio_key: str = "audios"
    video_key: str = "videos"
    min_closed_interval: bool = True
    max_closed_interval: bool = True
    reversed_range: bool = False
    seed: int = 42
    def keeps(self, value: float, low: float | None, high: float | None) -> bool: ...

class Reject(Exception):
    """The operator cannot judge this row: it goes to quarantine with the reason."""

class InvalidParams(Exception):
    """A parameter that the user must change."""

class _Values(Generic[_T]):
    validity: bytes | None
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_T | None]: ...
    def present(self) -> Iterator[_T]: ...
    def to_list(self) -> list[_T | None]: ...

class Texts(_Values[str]):
    """Strings: value i is data[offsets[i]:offsets[i + 1]], UTF-8."""

    offsets: Sequence[int]
    data: bytes
    def raw(self) -> Iterator[bytes | None]: ...

class Numbers(_Values[Any]):
    """Numbers, or flags as 0 and 1."""

    values: Sequence[Any]

class Lists(_Values[list[Any]]):
    """A list per row; values has the concatenated values of all rows."""

    offsets: Sequence[int]
    values: Any

class Blobs(_Values[bytes]):
    """Bytes: value i is data[offsets[i]:offsets[i + 1]]."""

    offsets: Sequence[int]
    data: bytes

class Vectors(_Values[Sequence[float]]):
    """Vectors of width numbers: row i has values[i * width:(i + 1) * width]."""

    width: int
    values: Sequence[float]

_Texts = Texts | Sequence[str]

class _Model:
    """A model that the recipe lends, by the parameter of this type."""

    kind: ClassVar[str]

class KenLM(_Model):
    """A language model of KenLM."""

    @overload
    def score(self, texts: str, *, begin: bool = True, end: bool = True) -> float: ...
    @overload
    def score(self, texts: _Texts, *, begin: bool = True, end: bool = True) -> list[float]: ...

class FastText(_Model):
    """A classifier of fastText."""

    def labels(self) -> list[str]: ...
    @overload
    def classify(self, texts: str, *, k: int = 1) -> list[tuple[str, float]]: ...
    @overload
    def classify(self, texts: _Texts, *, k: int = 1) -> list[list[tuple[str, float]]]: ...

class Tokenizer(_Model):
    """A tokenizer of Hugging Face or sentencepiece."""

    @overload
    def count(self, texts: str, *, special: bool = False) -> int: ...
    @overload
    def count(self, texts: _Texts, *, special: bool = False) -> list[int | Reject]: ...
    @overload
    def encode(self, texts: str, *, special: bool = False) -> list[int]: ...
    @overload
    def encode(self, texts: _Texts, *, special: bool = False) -> list[list[int] | Reject]: ...
    @overload
    def pieces(self, texts: str) -> list[str]: ...
    @overload
    def pieces(self, texts: _Texts) -> list[list[str] | Reject]: ...
    def decode(self, ids: Sequence[int]) -> str: ...

@dataclass
class Tensor:
    """Numbers in row-major order."""

    shape: list[int]
    data: Sequence[float]
    element: Literal["f32", "int64", "uint8"] = "f32"

class Onnx(_Model):
    """A network in ONNX."""

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]: ...

class Lines(_Model):
    """A list whose lines are looked up as they are."""

    @overload
    def contains(self, texts: str) -> bool: ...
    @overload
    def contains(self, texts: _Texts) -> list[bool]: ...

class Words(Lines):
    """A list whose lines are looked up in lower case, by letters and digits of ASCII."""

class Substrings(Words):
    """A list whose entries are searched for within texts."""

    @overload
    def occurrences(self, texts: str, *, most: int) -> int: ...
    @overload
    def occurrences(self, texts: _Texts, *, most: int) -> list[int]: ...
