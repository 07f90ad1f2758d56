"""Tables: pyarrow, pandas, polars, and whatever exports Arrow streams."""

from __future__ import annotations

import datetime
import decimal
import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import djhost
from djhost.errors import DataError

LONG = [{"text_length_filter": {"min_len": 4}}]
UTC = datetime.timezone.utc


def table(rows: int = 5) -> pa.Table:
    text = ["long text", "x", "another", "bb", "fifth one"]
    columns: dict[str, Any] = {
        "text": [text[i % 5] for i in range(rows)],
        "i8": pa.array([i % 100 for i in range(rows)], pa.int8()),
        "f16": pa.array([1.5] * rows, pa.float32()),
        "b": pa.array([b"\x00\xff"] * rows, pa.binary()),
        "l": pa.array([[1, None], None, [], [2], [3]] * (rows // 5), pa.large_list(pa.int32())),
        "fl": pa.array([[1, 2]] * rows, pa.list_(pa.int16(), 2)),
        "s": pa.array([{"x": {"y": "z"}}, None, {"x": None}, {"x": {"y": None}}, None] * (rows // 5)),
        "m": pa.array([[("k", 1)], None, [], [("a", None)], []] * (rows // 5), pa.map_(pa.string(), pa.int64())),
        "c": pa.array(["a", "b", None, "a", "c"] * (rows // 5)).dictionary_encode(),
        "d": pa.array([datetime.date(2020, 2, 29)] * rows),
        "t": pa.array([datetime.time(1, 2, 3, 4)] * rows),
        "ts": pa.array([datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)] * rows, pa.timestamp("us", "UTC")),
        "naive": pa.array([datetime.datetime(2020, 1, 1, 12)] * rows, pa.timestamp("ms")),
        "zone": pa.array([datetime.datetime(2020, 7, 1, 12, tzinfo=UTC)] * rows, pa.timestamp("s", "Europe/Berlin")),
        "span": pa.array([datetime.timedelta(days=-1, microseconds=1)] * rows),
        "dec": pa.array([decimal.Decimal("-12.340")] * rows, pa.decimal128(10, 3)),
        "u": pa.array([2**64 - 1] * rows, pa.uint64()),
        "ok": pa.array([True, None, False, True, False] * (rows // 5)),
        "nothing": pa.nulls(rows),
    }
    return pa.table(columns).replace_schema_metadata({"mine": "kept"})


KEPT = [0, 2, 4]


def test_a_table_keeps_its_types_and_untouched_columns() -> None:
    given = table()
    result = djhost.run(given, LONG)
    kept = result.data
    assert kept.schema.equals(given.schema, check_metadata=True)
    assert kept.cast(given.schema).equals(given.take(KEPT).combine_chunks()) or (
        kept.to_pylist() == given.take(KEPT).to_pylist()
    )
    assert result.ledger["dropped"] == {0: 2}


def test_rows_of_columns_are_the_objects_that_pyarrow_makes() -> None:
    given = table()
    assert djhost.run(given, LONG).to_list() == given.take(KEPT).to_pylist()


def test_readers_batches_and_foreign_objects() -> None:
    given = table()

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return given.__arrow_c_stream__(requested_schema)

    class Array:
        def __arrow_c_array__(self, requested_schema: object = None) -> object:
            return given.combine_chunks().to_batches()[0].__arrow_c_array__(requested_schema)

    batch = given.combine_chunks().to_batches()[0]
    reader = pa.RecordBatchReader.from_batches(given.schema, iter([batch]))
    wanted = given.take(KEPT).to_pylist()
    for data, kind in (
        (batch, pa.RecordBatch),
        (reader, pa.RecordBatchReader),
        (Stream(), pa.Table),
        (Array(), pa.Table),
    ):
        kept = djhost.run(data, LONG).data
        assert isinstance(kept, kind)
        kept = kept.read_all() if isinstance(kept, pa.RecordBatchReader) else kept
        assert kept.to_pylist() == wanted
    assert djhost.run(given.slice(0, 0), LONG).data.schema == given.schema
    assert isinstance(djhost.run(batch.slice(0, 0), LONG).data, pa.RecordBatch)


def test_a_result_is_an_arrow_stream_by_itself() -> None:
    result = djhost.run(table(), LONG)
    assert pa.table(result).num_rows == 3
    assert pl.DataFrame(result).height == 3


def test_pyarrow_is_not_needed_for_what_others_give(monkeypatch: pytest.MonkeyPatch) -> None:
    given = pl.DataFrame({"text": ["long text", "x"], "l": [[1], None]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = djhost.run(given, LONG)
    assert result.to_list() == [{"text": "long text", "l": [1]}]
    assert result.data.equals(given.head(1))


@pytest.mark.parametrize("data", [pa.array(["a text"]), pl.Series(["a text"]), pa.chunked_array([["a text"]])])
def test_a_column_alone_is_no_table(data: Any) -> None:
    with pytest.raises(DataError, match="is no table"):
        djhost.run(data, LONG)


def test_a_large_table_is_cut_into_partitions_and_keeps_its_order() -> None:
    given = table(100_000).append_column("n", pa.array(range(100_000)))
    result = djhost.run(given, LONG, partition={"mode": "manual", "num_of_partitions": 9})
    assert result.summary["totals"]["partitions"] == 9
    wanted = [n for n in range(100_000) if n % 5 in KEPT]
    assert result.to_arrow()["n"].to_pylist() == wanted
    assert result.to_arrow()["c"].to_pylist() == given["c"].take(wanted).to_pylist()


def test_dictionaries_may_change_from_batch_to_batch() -> None:
    batches = [
        pa.record_batch({"text": ["long text"], "c": pa.array([word]).dictionary_encode()})
        for word in ("one", "two", "one")
    ]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))
    assert djhost.run(reader, LONG).to_arrow()["c"].to_pylist() == ["one", "two", "one"]


def test_an_error_of_a_stream_is_said() -> None:
    def batches() -> Any:
        yield pa.record_batch({"text": ["long text"]})
        raise ValueError("my disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"text": pa.string()}), batches())
    with pytest.raises(DataError, match="my disk is gone"):
        djhost.run(reader, LONG)


def test_pandas_keeps_dtypes_and_the_labels_of_rows() -> None:
    given = pd.DataFrame(
        {
            "text": ["long text", "x", "another", "bb", "fifth one"],
            "n": pd.array([1, None, 3, 4, 5], dtype="Int64"),
            "i": pd.array([1, 2, 3, 4, 5], dtype="int32"),
            "c": pd.Categorical(["a", "b", "a", "b", "c"]),
            "when": pd.date_range("2020-01-01", periods=5, tz="Europe/Berlin"),
            "f": [1.5, float("nan"), None, 3, 4],
            "o": [{"a": 1}, None, {"a": 2}, None, {"a": 3}],
        }
    )
    for index in (
        None,
        pd.Index(["r1", "r2", "r3", "r4", "r5"], name="label"),
        pd.MultiIndex.from_product([["x"], range(5)], names=["a", None]),
        pd.RangeIndex(10, 20, 2),
    ):
        frame = given if index is None else given.set_axis(index)
        kept = djhost.run(frame, LONG).data
        assert isinstance(kept, pd.DataFrame)
        wanted = frame.iloc[KEPT]
        assert kept.index.tolist() == wanted.index.tolist()
        assert kept.index.names == wanted.index.names
        assert kept.dtypes.drop("c").equals(wanted.dtypes.drop("c"))
        assert isinstance(kept.dtypes["c"], pd.CategoricalDtype)
        assert kept["c"].tolist() == wanted["c"].tolist()
        for name in ("text", "n", "i", "when", "f", "o"):
            pd.testing.assert_series_equal(kept[name], wanted[name], check_index_type=False)


def test_pandas_columns_of_many_types_are_refused() -> None:
    with pytest.raises(DataError, match="give each column one type"):
        djhost.run(pd.DataFrame({"text": ["a text"] * 2, "v": [1, "x"]}), LONG)


def test_polars_keeps_its_types_lazy_or_not() -> None:
    given = pl.DataFrame(
        {
            "text": ["long text", "x", "another", "bb", "fifth one"],
            "l": [["a"], [], None, ["b", "c"], ["d"]],
            "c": pl.Series(["a", "b", "a", "b", "c"], dtype=pl.Categorical),
            "e": pl.Series(["a", "b", "a", "b", "a"], dtype=pl.Enum(["a", "b"])),
            "s": [{"x": 1, "y": None}] * 5,
            "d": [datetime.date(2020, 1, 1)] * 5,
            "ts": [datetime.datetime(2020, 1, 1, tzinfo=UTC)] * 5,
            "t": [datetime.time(1, 2, 3)] * 5,
            "u": pl.Series([1, 2, None, 4, 5], dtype=pl.UInt8),
            "b": [b"\x00"] * 5,
        }
    )
    wanted = given[KEPT]
    kept = djhost.run(given, LONG).data
    assert kept.drop("e").equals(wanted.drop("e"))
    assert kept.schema == given.schema or kept.schema["e"] == pl.Categorical
    assert kept["e"].cast(pl.String).to_list() == ["a", "a", "a"]
    lazy = djhost.run(given.lazy(), LONG).data
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().drop("e").equals(wanted.drop("e"))


def test_what_operators_change_keeps_its_column() -> None:
    given = pa.table({"text": ["a  text", "b  text"], "n": [1, 2]})
    kept = djhost.run(given, ["whitespace_normalization_mapper"], keep_stats=True).data
    assert kept.schema.equals(given.schema)
    assert kept["n"].to_pylist() == [1, 2]


def test_a_table_may_become_a_file_of_another_format() -> None:
    result = djhost.run(table(5).select(["text", "i8"]), LONG, export_path="r.jsonl")
    assert result.path.read_text().splitlines()[0] == '{"text":"long text","i8":0}'
    assert result.data["i8"].to_pylist() == [0, 2, 4]
