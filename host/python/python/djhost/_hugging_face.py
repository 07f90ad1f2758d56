"""Datasets of Hugging Face: in as Arrow streams, out as files that `datasets` maps into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from djhost._need import need

if TYPE_CHECKING:
    from djhost._result import Result

__all__ = ["dataset_of", "reader_of", "rows_of"]

# Rows that become a table at once.
_ROWS = 1000

# Smaller results are read into memory, larger ones are mapped.
_MAPPED = 32 << 20


def reader_of(dataset: Any) -> Any:
    """Return a stream of the rows of a ``Dataset`` with its features in the schema."""
    pa = need("pyarrow")
    schema = dataset.features.arrow_schema
    # A format that the user has set is about Python objects, not about what the rows are.
    tables = dataset.with_format("arrow").iter(batch_size=_ROWS)
    return pa.RecordBatchReader.from_batches(schema, _batches(tables, schema))


def rows_of(dataset: Any) -> Any:
    """Return the rows of an ``IterableDataset``: a stream if its features are known, or dicts."""
    if dataset.features is None:
        return iter(dataset)
    pa = need("pyarrow")
    schema = dataset.features.arrow_schema
    tables = dataset.with_format("arrow").iter(batch_size=_ROWS)
    return pa.RecordBatchReader.from_batches(schema, _batches(tables, schema))


def _batches(tables: Iterator[Any], schema: Any) -> Iterator[Any]:
    for table in tables:
        # Some datasets give a chunk for each row.
        yield from table.select(schema.names).cast(schema).combine_chunks().to_batches()


def dataset_of(result: "Result") -> Any:
    """Return a result as a ``Dataset``."""
    datasets = need("datasets")
    is_mapped = len(result.paths) == 1 and result.path.suffix == ".arrow"
    if is_mapped and result.path.stat().st_size >= _MAPPED:
        # What is made of the dataset opens its file again, in other processes, too.
        result.keep()
        return datasets.Dataset.from_file(str(result.path))
    return datasets.Dataset(result.to_arrow())
