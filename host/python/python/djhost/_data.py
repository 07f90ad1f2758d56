"""What `djhost.run` takes as data, and how a result becomes the same type again.

No package is imported to find out: whoever gives a DataFrame has imported pandas already.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from djhost._need import need
from djhost.errors import DataError

if TYPE_CHECKING:
    from djhost._result import Result

__all__ = ["Given", "given", "splits_of"]


class Given(NamedTuple):
    """Data as the native module takes them."""

    paths: Optional[list[str]]
    """Paths and globs; then `rows` is not called."""
    rows: Callable[[], Any]
    """Returns an iterator of dicts, or an object of the Arrow C stream interface."""
    restore: Optional[Callable[["Result"], Any]]
    """Makes the type that came in of a result. None for paths."""
    once: bool = False
    """Whether the rows can be taken only once."""


def given(data: Any) -> Given:
    """Find out what `data` is."""
    if isinstance(data, (str, os.PathLike)):
        return _paths([data])
    if isinstance(data, (list, tuple)):
        if data and all(isinstance(path, (str, os.PathLike)) for path in data):
            return _paths(data)
        return Given(None, lambda: iter(data), lambda result: result.to_list())
    if isinstance(data, Mapping):
        raise DataError(
            "a dict is neither rows nor a path\n"
            "  hint: give a list of dicts, one for each row; of a dict of columns, "
            "`pyarrow.table(columns)` or `pandas.DataFrame(columns)` makes a table"
        )
    for package, of in _PACKAGES.items():
        module = sys.modules.get(package)
        found = of(module, data) if module is not None else None
        if found is not None:
            return found
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return Given(None, lambda: data, _to_arrow_if_there)
    if isinstance(data, Iterable):
        rows = iter(data)
        is_once = rows is data
        return Given(
            None,
            (lambda: rows) if is_once else (lambda: iter(data)),
            lambda result: result.to_list(),
            is_once,
        )
    kind = f"{type(data).__module__}.{type(data).__qualname__}"
    raise DataError(
        f"a `{kind}` is no data\n"
        "  hint: give a path or URL, a list or iterator of dicts, a pyarrow Table or RecordBatchReader, a pandas or "
        "polars DataFrame, a Dataset of Hugging Face or Ray, or any object with `__arrow_c_stream__`"
    )


def splits_of(data: Any) -> Optional[dict[str, Any]]:
    """Return the splits of a ``DatasetDict``; None if `data` is something else."""
    datasets = sys.modules.get("datasets")
    if datasets is None or not isinstance(
        data, (datasets.DatasetDict, datasets.IterableDatasetDict)
    ):
        return None
    return {str(name): split for name, split in data.items()}


def _paths(paths: Iterable[Any]) -> Given:
    found = []
    for path in paths:
        if isinstance(path, str) and path.lower().startswith(("http://", "https://")):
            from djhost._download import local

            found.append(local(path))
        else:
            found.append(os.fspath(path))
    return Given(found, lambda: None, None)


def _to_arrow_if_there(result: "Result") -> Any:
    """Return a Table; without pyarrow the result itself, which exports an Arrow C stream."""
    try:
        return result.to_arrow()
    except ModuleNotFoundError:
        return result


def _pyarrow(pa: Any, data: Any) -> Optional[Given]:
    if isinstance(data, pa.Table):
        return Given(None, lambda: data, lambda result: result.to_arrow())
    if isinstance(data, pa.RecordBatchReader):
        return Given(
            None,
            lambda: data,
            lambda result: pa.RecordBatchReader.from_stream(result),
            True,
        )
    if isinstance(data, pa.RecordBatch):
        return Given(None, lambda: data, _record_batch)
    return None


def _record_batch(result: "Result") -> Any:
    table = result.to_arrow().combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else need("pyarrow").RecordBatch.from_pylist([], table.schema)


def _pandas(pd: Any, data: Any) -> Optional[Given]:
    if not isinstance(data, pd.DataFrame):
        return None

    def rows() -> Any:
        pa = need("pyarrow")
        try:
            # The index becomes columns: a surviving row keeps its label.
            return pa.Table.from_pandas(data, preserve_index=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"the DataFrame cannot become an Arrow table: {error}\n"
                "  hint: give each column one type"
            ) from error

    return Given(None, rows, lambda result: result.to_pandas())


def _polars(pl: Any, data: Any) -> Optional[Given]:
    if isinstance(data, pl.DataFrame):
        return Given(None, lambda: _frame(pl, data), lambda result: result.to_polars())
    if isinstance(data, pl.LazyFrame):
        return Given(
            None,
            lambda: _frame(pl, data.collect(engine="streaming")),
            lambda result: result.to_polars().lazy(),
        )
    return None


def _frame(pl: Any, frame: Any) -> Any:
    """Return what exports the frame as Arrow has it: polars gives columns of nulls a buffer."""

    def has_nulls(dtype: Any) -> bool:
        if dtype == pl.Null:
            return True
        if isinstance(dtype, (pl.List, pl.Array)):
            return has_nulls(dtype.inner)
        return isinstance(dtype, pl.Struct) and any(has_nulls(f.dtype) for f in dtype.fields)

    if any(map(has_nulls, frame.schema.values())):
        need("pyarrow")
        return frame.to_arrow()
    return frame


def _datasets(datasets: Any, data: Any) -> Optional[Given]:
    from djhost import _hugging_face

    if isinstance(data, datasets.Dataset):
        return Given(
            None,
            lambda: _hugging_face.reader_of(data),
            lambda result: result.to_hf(),
        )
    if isinstance(data, datasets.IterableDataset):
        return Given(
            None,
            lambda: _hugging_face.rows_of(data),
            lambda result: result.to_hf().to_iterable_dataset(),
        )
    return None


def _ray(ray_data: Any, data: Any) -> Optional[Given]:
    from djhost import _ray as ray

    if not isinstance(data, ray_data.Dataset):
        return None
    return Given(None, lambda: ray.reader_of(data), lambda result: result.to_ray())


_PACKAGES: dict[str, Callable[[Any, Any], Optional[Given]]] = {
    "pandas": _pandas,
    "polars": _polars,
    "datasets": _datasets,
    "pyarrow": _pyarrow,
    "ray.data": _ray,
}
