"""Datasets of Ray: in block by block, out into Ray's object store. The job itself runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from djhost._need import need
from djhost.errors import DataError

if TYPE_CHECKING:
    from djhost._result import Result

__all__ = ["dataset_of", "reader_of"]

# Bytes of the result that become one block: Ray's own target.
_BLOCK_BYTES = 128 << 20


def reader_of(dataset: Any) -> Any:
    """Return a stream of the rows of a ``ray.data.Dataset``, in the order in which Ray gives them."""
    pa = need("pyarrow")
    with _types_that_differ(pa):
        found = dataset.schema()
    if found is None:
        return pa.table({})
    schema = found.base_schema
    if not isinstance(schema, pa.Schema):
        # Blocks of pandas: Ray tells the types that Arrow has for them.
        schema = pa.schema(list(zip(found.names, found.types)))
    tables = dataset.iter_batches(batch_size=None, batch_format="pyarrow")
    return pa.RecordBatchReader.from_batches(schema, _batches(pa, tables, schema))


def _batches(pa: Any, tables: Iterator[Any], schema: Any) -> Iterator[Any]:
    for table in tables:
        with _types_that_differ(pa):
            # A block may lack a column, or have one without values, whose type is null there.
            whole = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
            batches = whole.select(schema.names).cast(schema).combine_chunks().to_batches()
        yield from batches


@contextmanager
def _types_that_differ(pa: Any) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise DataError(
            f"the blocks of the Ray Dataset do not have the same types: {error}\n"
            "  hint: give each column one type, for example with `map_batches`"
        ) from error


def dataset_of(result: "Result") -> Any:
    """Return a result as a ``ray.data.Dataset``; Ray is started if it is not running."""
    need("ray")
    data = need("ray.data")
    table = result.to_arrow()
    rows = max(1, len(table) * _BLOCK_BYTES // max(1, table.nbytes))
    blocks = [table.slice(start, rows) for start in range(0, len(table), rows)]
    return data.from_arrow(blocks or [table])
