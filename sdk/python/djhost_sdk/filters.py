"""Filters: a stat per row and a range, several stats and a rule, or just yes or no."""

from . import columns
from .errors import Failed
from .hints import column_type
from .operator import Instance, Operator, Signature, decorator

STATS = "__dj__stats__."


class FilterInstance(Instance):
    """A filter with its parameters."""

    def signature(self):
        return Signature(self.inputs, stats=self.op.stats)

    def answer(self, value):
        """The stats of a row as a tuple."""
        stats = self.op.stats
        if not stats:
            return (value,)
        if isinstance(value, dict):
            value = tuple(value[key] for key, _ in stats)
        elif not isinstance(value, tuple):
            value = (value,)
        if len(value) != len(stats):
            raise ValueError(f"gave {len(value)} stats instead of {len(stats)}")
        return value

    def process(self, batch):
        """Keep flags, (key, type, column) of the stats, and the rejected rows."""
        keys = [key for key, _ in self.op.stats]
        known = self._known(batch, keys)
        if keys and known and all(None not in row for row in known):
            answers, rejected = known, []
        else:
            needed = [None in row for row in known] if known else None
            answers, rejected = self.calls(batch, needed)
            if self.op.columns:
                answers = [None if answer is None else self.answer(answer) for answer in answers]
            if known:
                answers = [_over(row, answer) for row, answer in zip(known, answers, strict=True)]
        lost = {row for row, _ in rejected}
        keep = bytes(0 if row in lost else 1 if self._keeps(answer) else 0 for row, answer in enumerate(answers))
        none = (None,) * len(keys)
        values = zip(*(none if answer is None else answer for answer in answers), strict=True) if keys else []
        stats = [(key, kind, _column(kind, column)) for (key, kind), column in zip(self.op.stats, values, strict=True)]
        return keep, stats, rejected

    def _known(self, batch, keys):
        """The stats that the rows already have, row by row; None if a key has none."""
        given = {path.removeprefix(STATS): column for path, _, column in batch.fields[len(self.inputs) :] if path.startswith(STATS)}
        if not keys or any(key not in given for key in keys):
            return None
        return list(zip(*(given[key] for key in keys), strict=True))

    def _keeps(self, stats):
        op = self.op
        if op.keep is not None:
            return op.keep(*stats, **self.arguments)
        if op.range is not None:
            low, high = (None if name is None else self.param(name) for name in op.range)
            return self.common.keeps(stats[0], low, high)
        return stats[0]


def _over(known, computed):
    """The known stats, and the computed ones where they are missing."""
    if computed is None:
        return None if None in known else known
    return tuple(new if old is None else old for old, new in zip(known, computed, strict=True))


def _column(kind, values):
    """A stat's column. A row that was rejected has a null, whose value the host ignores."""
    try:
        return columns.encode(kind, values)
    except (TypeError, ValueError) as error:
        raise Failed(f"a stat is not of its type {kind}: {error}") from error


class Filter(Operator):
    """See `filter`."""

    kind = "filter"
    instance = FilterInstance

    def __init__(self, function, *, stat=None, stats=None, range=None, keep=None, **options):
        super().__init__(function, **options)
        if stat is not None:
            stats = {stat: self.hints.get("return")}
        self.stats = [(key, column_type(hint, f"the stat `{key}`")) for key, hint in (stats or {}).items()]
        self.range, self.keep = range, keep
        if range is not None and (len(self.stats) != 1 or keep is not None):
            raise TypeError(f"`{self.name}`: `range` is for one stat and takes the place of `keep`")
        if range is None and keep is None and self.stats:
            raise TypeError(f"`{self.name}`: give `range`, the names of the parameters for the least and the greatest, or `keep`, a function")


filter = decorator(Filter)
