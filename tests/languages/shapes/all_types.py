"""Operators that read and write every type of the contract, and fail in every way."""

from typing import Annotated, Any

from djhost_sdk import Blob, Common, Reject, RowId, Vector, filter, mapper, selector

FIELDS = {"w.any": Any, "w.num": float, "w.int": int, "w.flag": bool, "w.list": list[str], "w.nums": list[float], "w.ints": list[int]}


@mapper(writes={"text": str, **FIELDS, "w.blob": Blob, "w.blobs": list[Blob], "w.vec": Vector(2)})
def python_types_mapper(
    text: str,
    any: Any | None,
    num: float | None,
    int: int | None,
    flag: bool | None,
    list: list[str] | None,
    nums: list[float] | None,
    ints: list[int] | None,
    blob: Blob | None,
    blobs: list[Blob] | None,
    vec: Annotated[list[float], Vector(2)] | None,
) -> dict:
    """Writes what it reads, once more."""
    written = {"w.any": any, "w.num": num, "w.int": int, "w.flag": flag, "w.list": list, "w.nums": nums, "w.ints": ints}
    return written | {"w.blob": blob, "w.blobs": blobs, "w.vec": vec}


@filter(stats={"python_length": int, "python_first": str}, keep=lambda length, first: length > 0)
def python_failing_filter(text: str) -> tuple:
    """Rejects and fails."""
    if text == "reject":
        raise Reject("rejected by name")
    if text == "fail":
        raise ZeroDivisionError("failed by name")
    if text == "print":
        print("printed by python")
    return len(text), text[:1]


@filter(columns=True)
def python_columns_filter(text: str, row: RowId, *, common: Common) -> bool:
    """Drops the rows `drop`, over columns."""
    assert common.seed == 42 and len(row) == len(text)
    return [value != "drop" for value in text]


@selector(choose=lambda keys, *, n: [key is not None and key >= sorted(k for k in keys if k is not None)[-n] for key in keys])
def python_top_selector(int: int | None, *, n: int = 2) -> int | None:
    """Keeps the rows with the greatest numbers."""
    return int
