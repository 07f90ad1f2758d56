"""Datasets of Ray, with a Ray of the tests' own on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
import pandas
import pyarrow
import pytest
import ray
import ray.data

import djhost
from djhost.errors import DataError

LONG = [{"text_length_filter": {"min_len": 4}}]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
        yield
        ray.shutdown()


def test_a_dataset_becomes_a_dataset_with_the_same_types() -> None:
    table = pyarrow.table(
        {
            "text": ["long text", "x", "another"],
            "tags": pyarrow.array([["a"], [], None], pyarrow.list_(pyarrow.string())),
            "small": pyarrow.array([1, 2, None], pyarrow.int8()),
        }
    )
    kept = djhost.run(ray.data.from_arrow(table), LONG).data
    assert isinstance(kept, ray.data.Dataset)
    assert kept.schema().base_schema.equals(table.schema)
    assert kept.take_all() == [
        {"text": "long text", "tags": ["a"], "small": 1},
        {"text": "another", "tags": None, "small": None},
    ]


def test_blocks_may_lack_values_and_columns() -> None:
    blocks = [
        pyarrow.table({"text": ["long text", "x"], "n": pyarrow.nulls(2)}),
        pyarrow.table({"text": ["another"], "n": [3]}),
        pyarrow.table({"text": ["third one"]}),
    ]
    assert djhost.run(ray.data.from_arrow(blocks), LONG).to_list() == [
        {"text": "long text", "n": None},
        {"text": "another", "n": 3},
        {"text": "third one", "n": None},
    ]


def test_rows_that_ray_has_yet_to_compute_and_blocks_of_pandas() -> None:
    lazy = ray.data.range(6).map(lambda row: {"text": "t" * int(row["id"]), "id": row["id"]})
    assert sorted(row["id"] for row in djhost.run(lazy, LONG)) == [4, 5]
    frame = pandas.DataFrame({"text": ["long text", "x"], "n": [1.5, None]})
    assert djhost.run(ray.data.from_pandas(frame), LONG).to_list() == [{"text": "long text", "n": 1.5}]


def test_no_rows_stay_no_rows() -> None:
    none = ray.data.from_items([{"text": "x"}]).filter(lambda row: False)
    assert djhost.run(none, LONG).data.count() == 0
    all_gone = djhost.run(ray.data.from_items([{"text": "x"}]), LONG)
    assert len(all_gone) == 0 and all_gone.data.take_all() == []


def test_any_result_becomes_a_dataset_of_ray() -> None:
    result = djhost.run([{"text": "long text"}, {"text": "x"}], LONG)
    assert result.to_ray().take_all() == [{"text": "long text"}]


def test_values_that_only_ray_knows_come_back() -> None:
    odd = ray.data.from_items([{"text": "long text", "what": 1 + 2j}, {"text": "x", "what": None}])
    assert djhost.run(odd, LONG).data.take_all() == [{"text": "long text", "what": 1 + 2j}]
    tensors = ray.data.from_numpy(numpy.ones((3, 2, 2))).map(lambda row: {**row, "text": "long text"})
    assert [row["data"].tolist() for row in djhost.run(tensors, LONG).data.take_all()] == [[[1.0, 1.0], [1.0, 1.0]]] * 3


def test_a_block_of_other_types_is_refused() -> None:
    blocks = [pyarrow.table({"text": ["long text"], "n": [1]}), pyarrow.table({"text": ["another"], "n": ["one"]})]
    with pytest.raises(DataError, match="give each column one type"):
        djhost.run(ray.data.from_arrow(blocks), LONG)
