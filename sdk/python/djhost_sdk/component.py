"""The component's side: from the types of the WIT contract to the SDK's and back. Imported only while a component is built."""

import json

from componentize_py_types import Err
from wit_world.imports import types as wit

from . import models
from .columns import Blobs, Lists, Numbers, Texts, Vector, Vectors
from .errors import Failed, InvalidParams
from .operator import OPERATORS, Batch, create

try:
    from wit_world.imports import models as wit_models
except ImportError:
    # The world of operators that ask for no model.
    wit_models = None
models.service = wit_models

# The types have no common base, so each is found by its class: case, column type. Those of vectors have a width.
_CASES = {
    "utf8": (wit.Column_Utf8, wit.ColumnType_Utf8),
    "json": (wit.Column_Json, wit.ColumnType_Json),
    "f64": (wit.Column_F64, wit.ColumnType_F64),
    "s64": (wit.Column_S64, wit.ColumnType_S64),
    "boolean": (wit.Column_Boolean, wit.ColumnType_Boolean),
    "utf8-list": (wit.Column_Utf8List, wit.ColumnType_Utf8List),
    "f64-list": (wit.Column_F64List, wit.ColumnType_F64List),
    "s64-list": (wit.Column_S64List, wit.ColumnType_S64List),
    "bytes": (wit.Column_Bytes, wit.ColumnType_Bytes),
    "bytes-list": (wit.Column_BytesList, wit.ColumnType_BytesList),
}
_KINDS = {case: kind for kind, (case, _) in _CASES.items()}


def _from_wit(column):
    value = column.value
    if isinstance(column, wit.Column_Vector):
        return Vector(value.width), Vectors(value.width, value.values, value.validity)
    kind = _KINDS[type(column)]
    if kind in ("utf8", "json"):
        return kind, Texts(value.offsets, value.data, value.validity)
    if kind == "bytes":
        return kind, Blobs(value.offsets, value.data, value.validity)
    if kind == "utf8-list":
        return kind, Lists(value.offsets, Texts(value.values.offsets, value.values.data), value.validity)
    if kind == "bytes-list":
        return kind, Lists(value.offsets, Blobs(value.values.offsets, value.values.data), value.validity)
    if kind in ("f64-list", "s64-list"):
        return kind, Lists(value.offsets, value.values, value.validity)
    return kind, Numbers(value.values, value.validity)


def _texts(texts):
    return wit.Utf8Column(texts.offsets, texts.data, texts.validity)


def _blobs(blobs):
    return wit.BytesColumn(blobs.offsets, blobs.data, blobs.validity)


def _column_type(kind):
    return wit.ColumnType_Vector(kind.width) if isinstance(kind, Vector) else _CASES[kind][1]()


def _to_wit(kind, column):
    if isinstance(kind, Vector):
        return wit.Column_Vector(wit.VectorColumn(column.width, column.values, column.validity))
    if kind in ("utf8", "json"):
        value = _texts(column)
    elif kind == "f64":
        value = wit.F64Column(column.values, column.validity)
    elif kind == "s64":
        value = wit.S64Column(column.values, column.validity)
    elif kind == "boolean":
        value = wit.BooleanColumn(bytes(column.values), column.validity)
    elif kind == "utf8-list":
        value = wit.Utf8ListColumn(column.offsets, _texts(column.values), column.validity)
    elif kind == "bytes":
        value = _blobs(column)
    elif kind == "bytes-list":
        value = wit.BytesListColumn(column.offsets, _blobs(column.values), column.validity)
    elif kind == "s64-list":
        value = wit.S64ListColumn(column.offsets, column.values, column.validity)
    else:
        value = wit.F64ListColumn(column.offsets, column.values, column.validity)
    return _CASES[kind][0](value)


def _fields(fields):
    return [wit.Field(path, _to_wit(kind, column)) for path, kind, column in fields]


def _rejected(rows):
    return [wit.Rejection(row, reason) for row, reason in rows]


def _output(kind, answer):
    *answer, rejected = answer
    rejected = _rejected(rejected)
    if kind == "filter":
        keep, stats = answer
        return wit.Output_Filtered(wit.FilterOutput(keep, _fields(stats), rejected))
    if kind == "deduplicator":
        return wit.Output_Fingerprints(wit.Fingerprints(*answer, rejected))
    if kind == "selector":
        return wit.Output_Keys(wit.KeysOutput(_to_wit(*answer), rejected))
    if len(answer) == 1:
        updates = [wit.Update(path, rows, _to_wit(type_, column)) for path, type_, rows, column in answer[0]]
        return wit.Output_Updated(wit.UpdateOutput(updates, rejected))
    origins, fields = answer
    return wit.Output_Rows(wit.RowsOutput(origins, _fields(fields), rejected))


def _answer(call):
    """The result of `call`; an exception other than `Err` would end the instance."""
    try:
        return call()
    except InvalidParams as error:
        raise Err(wit.OpError_InvalidParams(str(error))) from error
    except Failed as error:
        raise Err(wit.OpError_Failed(str(error))) from error


def check():
    """Fails, and so the build, if there are no operators, or one asks for a model in a world without (`__main__.py` tries another one then)."""
    if not OPERATORS:
        raise RuntimeError("no operator is defined: put a decorator of djhost_sdk on a function")
    if wit_models is None and any(_lent(op) for op in OPERATORS.values()):
        raise RuntimeError(models.NOT_IN_WORLD)


def _lent(op):
    """Whether an operator has a parameter that names a model."""
    return any(parameter.get("format") == "model" for parameter in op.schema["properties"].values())


_KINDS_OF_OPERATORS = {
    "filter": wit.Kind_Filter(),
    "mapper": wit.Kind_Mapper(),
    "deduplicator": wit.Kind_Deduplicator(wit.Matching_Equal()),
    "selector": wit.Kind_Selector(),
}


def _descriptor(op):
    schema = op.schema
    traits = wit.Traits(leaves_out_stats=False, gives_drop_reasons=False, takes_clusters=False, json_constants=False)
    needs = wit.Needs(media=False, files=False, models=_lent(op))
    return wit.Descriptor(op.name, _KINDS_OF_OPERATORS[op.kind], op.summary, json.dumps(schema), wit.Cost[op.cost.upper()], traits, needs)


def describe():
    """The answer of `ops.describe`."""
    return [_descriptor(op) for op in OPERATORS.values()]


class Op:
    """The resource `ops.op`."""

    def __init__(self, instance):
        self.instance = instance

    @classmethod
    def create(cls, name, params, want):
        # `want` is for operators with traits, and none has any here.
        return cls(_answer(lambda: create(name, params)))

    def signature(self):
        found = self.instance.signature()
        computed = lambda fields: [wit.Computed(path, _column_type(kind)) for path, kind in fields]
        reads = [wit.Input(field.path, _column_type(field.type), field.required) for field in found.reads]
        return wit.Signature(reads, computed(found.writes), computed(found.stats), False)

    def process(self, batch):
        fields = [(field.path, *_from_wit(field.values)) for field in batch.fields]
        answer = _answer(lambda: self.instance.process(Batch(batch.row_ids, fields)))
        return _output(self.instance.op.kind, answer)

    def select(self, keys):
        return _answer(lambda: self.instance.select(*_from_wit(keys)))
