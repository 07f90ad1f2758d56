"""Mappers: new values of fields, or other rows."""

from . import columns
from .errors import Failed
from .hints import column_type, element
from .operator import Instance, Operator, Signature, decorator


class MapperInstance(Instance):
    """A mapper with its parameters."""

    def __init__(self, *args):
        super().__init__(*args)
        self.writes = self.op.writes or [(self.common.text_key, self.op.returned)]

    def signature(self):
        return Signature(self.inputs, writes=self.writes)

    def by_path(self, value):
        """The function's result for a row as a dict of fields."""
        if value is None:
            return {}
        if not self.op.writes:
            return {self.writes[0][0]: value}
        wrong = value.keys() - {path for path, _ in self.writes}
        if wrong:
            raise ValueError(f"`{min(wrong)}` is not among `writes`")
        return value

    def answer(self, value):
        return self.by_path(value)

    def process(self, batch):
        """(path, type, rows, column) for each field that changes in some rows, and the rejected rows."""
        answers, rejected = self.calls(batch)
        if self.op.columns:
            answers = [self._guard(lambda answer=answer: self.by_path(answer)) for answer in answers]
        before = {path: list(columns.decode(kind, column)) for path, kind, column in batch.fields if self._is_written(path, kind)}
        updates = []
        for path, kind in self.writes:
            old = before.get(path)
            changes = [
                (row, answer[path])
                for row, answer in enumerate(answers)
                if answer and path in answer and (old is None or old[row] != answer[path])
            ]
            if changes:
                rows, values = zip(*changes, strict=True)
                updates.append((path, kind, list(rows), encoded(path, kind, values)))
        return updates, rejected

    def _is_written(self, path, kind):
        return (path, kind) in self.writes


class ExpanderInstance(MapperInstance):
    """A mapper that makes rows, with its parameters."""

    def answer(self, value):
        return [self.by_path(item) for item in value or ()]

    def process(self, batch):
        """The row that each new row was made from, (path, type, column) of the fields, and the rejected rows."""
        answers, rejected = self.calls(batch)
        if self.op.columns:
            answers = [self._guard(lambda answer=answer: self.answer(answer)) for answer in answers]
        origins = [row for row, items in enumerate(answers) for _ in items or ()]
        made = [item for items in answers for item in items or ()]
        fields = [(path, kind, encoded(path, kind, [item.get(path) for item in made])) for path, kind in self.writes]
        return origins, fields, rejected


def encoded(path, kind, values):
    """The column of a written field."""
    try:
        return columns.encode(kind, values)
    except (AttributeError, TypeError, ValueError) as error:
        raise Failed(f"a value for `{path}` is not of its type {kind}: {error}") from error


class Mapper(Operator):
    """See `mapper`."""

    kind = "mapper"
    instance = MapperInstance

    def __init__(self, function, *, writes=None, **options):
        super().__init__(function, **options)
        self.writes = [(path, column_type(hint, f"`{path}`")) for path, hint in (writes or {}).items()]
        self.returned = None if self.writes else self._returned(self.hints.get("return"))

    def _returned(self, hint):
        if hint is None or hint is dict:
            raise TypeError(f"`{self.name}`: say what it returns, `-> str`, or give `writes`, the types of the fields by path")
        return column_type(element(hint) if self.columns else hint, f"the answer of `{self.name}`")


class Expander(Mapper):
    """See `expander`."""

    instance = ExpanderInstance

    def _returned(self, hint):
        item = element(element(hint) if self.columns else hint)
        if item is None:
            raise TypeError(f"`{self.name}` returns the new texts of a row: `-> Iterator[str]` or `-> list[str]`")
        return column_type(item, f"the answer of `{self.name}`")


mapper = decorator(Mapper)
expander = decorator(Expander)
