"""Operators that read and write every type of the contract, and fail in every way."""

from typing import Any

from djhost_sdk import Common, Reject, RowId, filter, mapper, selector


@mapper(writes={"text": str, "w.any": Any, "w.num": float, "w.int": int, "w.flag": bool, "w.list": list[str], "w.nums": list[float]})
def python_types_mapper(
    text: str, any: Any | None, num: float | None, int: int | None, flag: bool | None, list: list[str] | None, nums: list[float] | None
) -> dict:
    """Writes what it reads, once more."""
    return {"w.any": any, "w.num": num, "w.int": int, "w.flag": flag, "w.list": list, "w.nums": nums}


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
