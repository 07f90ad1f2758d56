"""Datasets of Hugging Face."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import datasets
import pytest

import djhost
from djhost.errors import DataError

LONG = [{"text_length_filter": {"min_len": 4}}]
FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["neg", "pos"]),
        "tags": datasets.List(datasets.Value("string")),
    }
)


def dataset() -> datasets.Dataset:
    return datasets.Dataset.from_dict(
        {
            "text": ["long text", "x", "another", "bb", "fifth one"],
            "label": [0, 1, 1, 0, None],
            "tags": [["a"], [], None, ["b", "c"], ["d"]],
        },
        features=FEATURES,
    )


def test_a_dataset_keeps_its_features() -> None:
    kept = djhost.run(dataset(), LONG).data
    assert isinstance(kept, datasets.Dataset)
    assert kept.features == FEATURES
    assert kept.to_list() == dataset().select([0, 2, 4]).to_list()


def test_selected_shuffled_and_formatted_rows_are_what_is_seen() -> None:
    chosen = dataset().select([4, 1, 0]).with_format("numpy")
    assert djhost.run(chosen, LONG).to_list() == dataset().select([4, 0]).to_list()


def test_a_dataset_outlives_its_result() -> None:
    kept = djhost.run(dataset(), LONG).data
    gc.collect()
    assert kept[1]["text"] == "another"
    assert pickle.loads(pickle.dumps(kept))[2]["text"] == "fifth one"


def test_each_split_is_processed_by_itself(tmp_path: Path) -> None:
    given = datasets.DatasetDict({"train": dataset(), "test": dataset().select([1, 2])})
    result = djhost.run(given, LONG, export_path="out/{split}.parquet", job_id="mine")
    assert Path("out/train.parquet").is_file() and Path("out/test.parquet").is_file()
    kept = result.data
    assert isinstance(kept, datasets.DatasetDict)
    assert {name: split["text"][:] for name, split in kept.items()} == {
        "train": ["long text", "another", "fifth one"],
        "test": ["another"],
    }
    assert kept["test"].features == FEATURES
    assert (len(result), result.ledger["read"], result.ledger["dropped"]) == (4, 7, {0: 3})
    assert [op["split"] for op in result.ops] == ["train", "test"]
    with pytest.raises(DataError, match="{split}"):
        djhost.run(given, LONG, export_path="out/all.parquet")


def test_an_iterable_dataset_streams_with_or_without_known_features() -> None:
    wanted = dataset().select([0, 2, 4]).to_list()
    known = djhost.run(dataset().to_iterable_dataset(), LONG).data
    assert isinstance(known, datasets.IterableDataset)
    assert list(known) == wanted
    unknown = datasets.IterableDataset.from_generator(lambda: iter(dataset()))
    assert unknown.features is None
    assert list(djhost.run(unknown, LONG).data) == wanted
