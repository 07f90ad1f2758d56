"""The results of the splits of a ``DatasetDict``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from djhost._need import need
from djhost._result import Result
from djhost.errors import QuestionError, problem

if TYPE_CHECKING:
    import datasets

__all__ = ["SplitResult"]


class SplitResult(Result):
    """One result for each split. Rows are those of all splits, one after another."""

    splits: Mapping[str, Result]
    """The results by the names of the splits."""

    def __init__(self, splits: Mapping[str, Result]) -> None:
        self.splits = splits
        first = next(iter(splits.values()), None)
        if first is None:
            raise ValueError("a DatasetDict without splits has no result")
        super().__init__(first.run_dir)
        self._files = [path for result in splits.values() for path in result.paths]

    @property
    def ledger(self) -> dict[str, Any]:
        """The sums over all splits."""
        total: dict[str, Any] = {}
        for result in self.splits.values():
            for name, value in result.ledger.items():
                if isinstance(value, dict):
                    sums = total.setdefault(name, {})
                    for op, rows in value.items():
                        sums[op] = sums.get(op, 0) + rows
                else:
                    total[name] = total.get(name, 0) + value
        return total

    @property
    def ops(self) -> list[dict[str, Any]]:
        """The ops of all splits, each with the name of its ``split``."""
        return [
            {"split": name, **op} for name, result in self.splits.items() for op in result.ops
        ]

    def __len__(self) -> int:
        return sum(map(len, self.splits.values()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for result in self.splits.values():
            yield from result

    def to_hf(self) -> "datasets.DatasetDict":  # type: ignore[override, unused-ignore]
        """Return the rows as a ``datasets.DatasetDict``."""
        datasets = need("datasets")
        return datasets.DatasetDict({name: result.to_hf() for name, result in self.splits.items()})

    @property
    def data(self) -> Any:
        """The rows as the ``DatasetDict`` that they came in."""
        return self.to_hf()

    def quarantine(self, op: "int | None" = None) -> list[dict[str, Any]]:
        """Return the rows in quarantine of all splits."""
        return [row for result in self.splits.values() for row in result.quarantine(op)]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What deserves a look, each with the name of its ``split``."""
        return [
            {"split": name, **found}
            for name, result in self.splits.items()
            for found in result.findings
        ]

    def dropped(self, op: Union[int, str, None] = None) -> list[dict[str, Any]]:
        """Return the rows that are not in the results, each with the name of its ``split``."""
        return [
            {"split": name, **row}
            for name, result in self.splits.items()
            for row in result.dropped(op)
        ]

    def _asked(self) -> Path:
        one = next(iter(self.splits))
        message = f"the result is of {len(self.splits)} jobs, one for each split"
        raise QuestionError([problem(message, hint=f"ask one of them: `result.splits[{one!r}]`")])
