"""Rows as dicts: nothing changes that no operator changes."""

from __future__ import annotations

import enum
import itertools
from typing import Any

import pytest

import djhost
from djhost.errors import DataError

LONG = [{"text_length_filter": {"min_len": 4}}]


def test_values_come_back_as_they_went_in() -> None:
    row = {
        "text": "Zürich 数据 \U0001f600 \"quoted\" \\ \n\t\x00\x7f\u2028",
        "int": -(2**63),
        "unsigned": 2**64 - 1,
        "beyond": 10**40,
        "float": 0.1,
        "tiny": 5e-324,
        "whole": 1.0,
        "huge": 1e300,
        "minus": -0.0,
        "bools": [True, False],
        "none": None,
        "nested": {"a": {"b": [{"c": []}, {}, [[1], None]]}, "": "empty key"},
    }
    rows = [row, {"text": "a row without the others"}, {"text": "null", "nested": None}]
    result = djhost.run(rows, LONG).to_list()
    assert result == rows
    assert repr(result[0]["minus"]) == "-0.0" and repr(result[0]["whole"]) == "1.0"
    assert list(result[0]) == list(row), "fields keep their order"
    assert list(result[1]) == ["text"], "what is missing stays missing"


def test_a_row_of_a_file_may_have_carriage_returns_between_its_parts(tmp_path: Any) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"text":\r"a text",\r"n": 1}\r\n')
    assert djhost.run(tmp_path / "in.jsonl", LONG).to_list() == [{"text": "a text", "n": 1}]


def test_iterators_and_iterables_of_any_kind() -> None:
    rows = [{"text": f"text {i}"} for i in range(5)]

    class Rows:
        def __iter__(self) -> Any:
            return iter(rows)

    for data in (iter(rows), (row for row in rows), Rows(), tuple(rows), itertools.islice(rows, 9)):
        assert djhost.run(data, LONG).data == rows
    assert djhost.run([], LONG).data == []
    assert djhost.run(iter([]), LONG).data == []


def test_many_rows_are_read_back_in_order() -> None:
    rows = ({"text": f"text {i}", "i": i} for i in range(50_000))
    result = djhost.run(rows, LONG, partition={"mode": "manual", "num_of_partitions": 7})
    assert [row["i"] for row in result] == list(range(50_000))


class Colour(enum.IntEnum):
    RED = 2


class Text(str):
    pass


def test_subclasses_are_what_they_are_of() -> None:
    rows = [{"text": Text("a text"), "c": Colour.RED, "t": (1, 2)}]
    assert djhost.run(rows, LONG).to_list() == [{"text": "a text", "c": 2, "t": [1, 2]}]


@pytest.mark.parametrize(
    ("value", "place", "what"),
    [
        (float("nan"), "`v`", "NaN"),
        ([1, {"w": float("inf")}], r"`v\[1\]\.w`", "inf"),
        ({1: 2}, "`v`", "the key `1` is a `int`"),
        (b"bytes", "`v`", "`bytes`"),
        ({1, 2}, "`v`", "`set`"),
        ("\ud800", "`v`", "surrogate"),
        (1j, "`v`", "`complex`"),
        (__import__("datetime").date(2020, 1, 1), "`v`", "`datetime.date`"),
        (__import__("decimal").Decimal("1.5"), "`v`", "`decimal.Decimal`"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: Any, place: str, what: str) -> None:
    rows = [{"text": "a good one"}, {"text": "a bad one", "v": value}]
    with pytest.raises(DataError, match=f"row 1, {place}: .*{what}"):
        djhost.run(rows, LONG)


def test_what_contains_itself_is_refused() -> None:
    row: dict[str, Any] = {"text": "a text"}
    row["self"] = row
    with pytest.raises(DataError, match="nested more than"):
        djhost.run([row], LONG)


@pytest.mark.parametrize("data", [[1], ["a.jsonl", {"text": "x"}], [None], ({"text": "x"}, "y")])
def test_what_is_no_dict_is_no_row(data: Any) -> None:
    with pytest.raises(DataError, match=r"row \d is a `.*`: rows are dicts"):
        djhost.run(data, LONG)


@pytest.mark.parametrize("data", [{"text": ["x"]}, 5, object(), len])
def test_what_is_no_data_is_refused(data: Any) -> None:
    with pytest.raises(DataError, match="hint: "):
        djhost.run(data, LONG)


def test_an_exception_of_an_iterator_is_its_own() -> None:
    def rows() -> Any:
        yield {"text": "a text"}
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        djhost.run(rows(), LONG)


def test_rows_in_quarantine_say_why() -> None:
    rows = [{"text": "a text"}, {"text": 5}, {"other": 1}]
    result = djhost.run(rows, ["fix_unicode_mapper"], max_quarantine_ratio=1, max_unreadable_ratio=1)
    assert result.to_list() == rows[:1]
    entries = result.quarantine()
    assert result.ledger["quarantined"] == len(entries) == 2
    assert [entry["line"] for entry in entries] == [2, 3]
    assert all(entry["reason"] for entry in entries)
    assert result.quarantine(0) == [e for e in entries if e.get("operation_idx") == 0]


def test_json_rows_become_tables() -> None:
    import pyarrow as pa

    rows = [{"text": "a text", "n": 1, "o": {"a": [1.5]}}, {"text": "another"}]
    result = djhost.run(rows, LONG)
    table = result.to_arrow()
    assert table.schema.field("n").type == pa.int64()
    assert table.to_pylist() == [rows[0], {"text": "another", "n": None, "o": None}]
    assert result.to_pandas()["text"].tolist() == ["a text", "another"]
    assert result.to_polars()["n"].to_list() == [1, None]
    assert result.to_hf()["o"][0] == {"a": [1.5]}
