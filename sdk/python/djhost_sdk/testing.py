"""Runs an operator without WebAssembly, through the code that a component runs: for unit tests.

    assert run(question_filter, [{"text": "Why?"}, {"text": "So."}]) == [{"text": "Why?", "__dj__stats__": {"questions": 1}}]

In place of a model there is a double, an object of a class of your own:

    class Words(Tokenizer):
        def count(self, texts, *, special=False):
            return [len(text.split()) for text in texts]

    run(brief_filter, rows, tokenizer=Words())
"""

import copy
import json

from . import columns, models
from .operator import Batch


def run(op, rows, **params):
    """The rows (dicts) after the operator. A rejected row, or one without a field that is required, is a ValueError."""
    models.doubles = {name: value for name, value in params.items() if isinstance(value, models.Model)}
    try:
        instance = op.create(json.dumps({name: "a double" if name in models.doubles else value for name, value in params.items()}))
    finally:
        models.doubles = {}
    rows = copy.deepcopy(rows)
    if not rows:
        return []
    signature = instance.signature()
    fields = []
    for wanted in signature.reads:
        values = [get(row, wanted.path) for row in rows]
        if wanted.required and None in values:
            raise ValueError(f"row {values.index(None)} has no `{wanted.path}`")
        fields.append((wanted.path, wanted.type, columns.encode(wanted.type, values)))
    for key, kind in signature.stats:
        values = [get(row, f"__dj__stats__.{key}") for row in rows]
        if any(value is not None for value in values):
            fields.append((f"__dj__stats__.{key}", kind, columns.encode(kind, values)))
    answer = instance.process(Batch(list(range(len(rows))), fields))
    if answer[-1]:
        row, reason = answer[-1][0]
        raise ValueError(f"row {row} is rejected: {reason}")
    return globals()[f"_{type(instance).__name__}"](instance, rows, answer)


def get(row, path):
    """The value at a path, None if there is none."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def put(row, path, value):
    """Sets the value at a path."""
    *above, last = path.split(".")
    for name in above:
        row = row.setdefault(name, {})
    row[last] = value


def _FilterInstance(_, rows, answer):
    keep, stats, _ = answer
    for key, kind, column in stats:
        for row, value in zip(rows, columns.decode(kind, column), strict=True):
            put(row, f"__dj__stats__.{key}", value)
    return [row for row, kept in zip(rows, keep, strict=True) if kept]


def _MapperInstance(_, rows, answer):
    for path, kind, changed, column in answer[0]:
        for row, value in zip(changed, columns.decode(kind, column), strict=True):
            put(rows[row], path, value)
    return rows


def _ExpanderInstance(_, rows, answer):
    origins, fields, _ = answer
    made = [copy.deepcopy(rows[origin]) for origin in origins]
    for path, kind, column in fields:
        for row, value in zip(made, columns.decode(kind, column), strict=True):
            put(row, path, value)
    return made


def _DeduplicatorInstance(_, rows, answer):
    width, per_row, data, validity, _ = answer
    first, kept = {}, []
    for i, row in enumerate(rows):
        at = i * width * per_row
        prints = [(j, data[at + j * width : at + (j + 1) * width]) for j in range(per_row)] if columns.is_set(validity, i) else []
        if not any(key in first for key in prints):
            kept.append(row)
        for key in prints:
            first.setdefault(key, i)
    return kept


def _SelectorInstance(instance, rows, answer):
    kind, column, _ = answer
    return [row for row, kept in zip(rows, instance.select(kind, column), strict=True) if kept]
