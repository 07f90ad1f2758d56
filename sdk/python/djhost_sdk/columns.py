"""Columns: the values of one field for some rows, in Arrow's memory layout."""

import json
from dataclasses import dataclass
from itertools import accumulate, pairwise

UTF8, JSON, F64, S64, BOOLEAN, UTF8_LIST, F64_LIST = "utf8", "json", "f64", "s64", "boolean", "utf8-list", "f64-list"
S64_LIST, BYTES, BYTES_LIST = "s64-list", "bytes", "bytes-list"


@dataclass(frozen=True)
class Vector:
    """`Annotated[list[float], Vector(384)]`: so many numbers of single precision, such as an embedding. In `writes` also `Vector(384)`."""

    width: int

    def __str__(self):
        return f"vector of {self.width} numbers"


def is_set(validity, i):
    """Whether bit `i` of an LSB-first bitmap is set; no bitmap means that all are."""
    return validity is None or validity[i >> 3] >> (i & 7) & 1 == 1


def bitmap(flags):
    """The LSB-first bitmap of a list of flags, or None if all are true."""
    if all(flags):
        return None
    bits = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        if flag:
            bits[i >> 3] |= 1 << (i & 7)
    return bytes(bits)


class _Values:
    """A sequence with None for a null."""

    def __iter__(self):
        if self.validity is None:
            return self.present()
        return (value if is_set(self.validity, i) else None for i, value in enumerate(self.present()))

    def to_list(self):
        """All values, None for a null."""
        return list(self)


class Texts(_Values):
    """Strings: value `i` is `data[offsets[i]:offsets[i + 1]]`, UTF-8."""

    def __init__(self, offsets, data, validity=None):
        self.offsets, self.data, self.validity = offsets, data, validity

    def __len__(self):
        return len(self.offsets) - 1

    def present(self):
        """All values as `str`; empty where null."""
        data = self.data
        return (data[start:end].decode() for start, end in pairwise(self.offsets))

    def raw(self):
        """All values as `bytes`, which is faster; None for a null."""
        data = self.data
        values = (data[start:end] for start, end in pairwise(self.offsets))
        if self.validity is None:
            return values
        return (value if is_set(self.validity, i) else None for i, value in enumerate(values))

    @classmethod
    def of(cls, values):
        """The column of a list of `str` (or `bytes` that are UTF-8), None for a null."""
        present = [value is not None for value in values]
        parts = [b"" if value is None else value if isinstance(value, bytes) else value.encode() for value in values]
        return cls([0, *accumulate(map(len, parts))], b"".join(parts), bitmap(present))


class Blobs(_Values):
    """Bytes: value `i` is `data[offsets[i]:offsets[i + 1]]`."""

    def __init__(self, offsets, data, validity=None):
        self.offsets, self.data, self.validity = offsets, data, validity

    def __len__(self):
        return len(self.offsets) - 1

    def present(self):
        """All values as `bytes`; empty where null."""
        data = self.data
        return (data[start:end] for start, end in pairwise(self.offsets))

    @classmethod
    def of(cls, values):
        """The column of a list of bytes, None for a null."""
        present = [value is not None for value in values]
        parts = [b"" if value is None else bytes(memoryview(value)) for value in values]
        return cls([0, *accumulate(map(len, parts))], b"".join(parts), bitmap(present))


class Vectors(_Values):
    """Vectors of `width` numbers: row `i` has `values[i * width:(i + 1) * width]`, which say nothing where it is null."""

    def __init__(self, width, values, validity=None):
        self.width, self.values, self.validity = width, values, validity

    def __len__(self):
        return len(self.values) // self.width

    def present(self):
        values, width = self.values, self.width
        return (values[start : start + width] for start in range(0, len(values), width))

    @classmethod
    def of(cls, values, width):
        """The column of a list of sequences of `width` numbers, None for a null."""
        numbers, nothing = [], [0.0] * width
        for value in values:
            if value is not None and len(value) != width:
                raise ValueError(f"{len(value)} numbers where {width} are declared")
            numbers.extend(nothing if value is None else map(float, value))
        return cls(width, numbers, bitmap([value is not None for value in values]))


class Numbers(_Values):
    """Numbers, or flags as 0 and 1."""

    def __init__(self, values, validity=None):
        self.values, self.validity = values, validity

    def __len__(self):
        return len(self.values)

    def present(self):
        return iter(self.values)

    @classmethod
    def of(cls, values, convert):
        """The column of a list of numbers, None for a null; `convert` makes them the declared type."""
        present = [value is not None for value in values]
        return cls([convert(0 if value is None else value) for value in values], bitmap(present))


class Lists(_Values):
    """A list per row; `values` has the concatenated values of all rows: `Texts`, `Blobs`, or a list of numbers."""

    def __init__(self, offsets, values, validity=None):
        self.offsets, self.values, self.validity = offsets, values, validity

    def __len__(self):
        return len(self.offsets) - 1

    def present(self):
        values = list(self.values)
        return (values[start:end] for start, end in pairwise(self.offsets))

    @classmethod
    def of(cls, lists, encode):
        """The column of a list of lists, None for a null; `encode` makes the column of the values of all."""
        present = [value is not None for value in lists]
        lists = [value or [] for value in lists]
        return cls([0, *accumulate(map(len, lists))], encode([item for value in lists for item in value]), bitmap(present))


def dump(value):
    """A JSON value as text, None for null."""
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode(column_type, values):
    """The column of this type with these Python values, None for a null."""
    if column_type == UTF8:
        return Texts.of(values)
    if column_type == JSON:
        return Texts.of([dump(value) for value in values])
    if column_type == UTF8_LIST:
        return Lists.of(values, Texts.of)
    if column_type == F64_LIST:
        return Lists.of(values, lambda items: [float(item) for item in items])
    if column_type == S64_LIST:
        return Lists.of(values, lambda items: [int(item) for item in items])
    if column_type == BYTES:
        return Blobs.of(values)
    if column_type == BYTES_LIST:
        return Lists.of(values, Blobs.of)
    if isinstance(column_type, Vector):
        return Vectors.of(values, column_type.width)
    return Numbers.of(values, {F64: float, S64: int, BOOLEAN: lambda flag: 1 if flag else 0}[column_type])


def decode(column_type, column):
    """The Python values of a column, None for a null."""
    if column_type == JSON:
        return (None if value is None else json.loads(value) for value in column)
    if column_type == BOOLEAN:
        return (None if value is None else value != 0 for value in column)
    return iter(column)
