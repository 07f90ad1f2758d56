"""Operators over the whole dataset: deduplicators and selectors."""

import hashlib

from . import columns
from .errors import Failed
from .hints import column_type, element, plain
from .operator import Instance, Operator, Signature, decorator


class DeduplicatorInstance(Instance):
    """A deduplicator with its parameters."""

    def signature(self):
        return Signature(self.inputs)

    def answer(self, value):
        """The bytes of a row's fingerprints, None if it has none."""
        if value is None:
            return None
        prints = value if isinstance(value, (list, tuple)) else (value,)
        if len(prints) != self.op.per_row:
            raise ValueError(f"gave {len(prints)} fingerprints instead of {self.op.per_row}")
        return b"".join(map(self._print, prints))

    def _print(self, value):
        width = self.op.width
        if isinstance(value, str):
            value = hashlib.blake2b(value.encode(), digest_size=width).digest()
        elif isinstance(value, int):
            value = (value % (1 << 8 * width)).to_bytes(width, "little")
        if len(value) != width:
            raise ValueError(f"gave a fingerprint of {len(value)} bytes instead of {width}")
        return value

    def process(self, batch):
        """Width, number per row, bytes, validity, and the rejected rows."""
        answers, rejected = self.calls(batch)
        if self.op.columns:
            answers = [self._guard(lambda answer=answer: self.answer(answer)) for answer in answers]
        none = bytes(self.op.width * self.op.per_row)
        data = b"".join(none if answer is None else answer for answer in answers)
        return self.op.width, self.op.per_row, data, columns.bitmap([answer is not None for answer in answers]), rejected


class Deduplicator(Operator):
    """See `deduplicator`."""

    kind = "deduplicator"
    instance = DeduplicatorInstance

    def __init__(self, function, *, per_row=1, width=16, cost="medium", **options):
        super().__init__(function, cost=cost, **options)
        self.per_row, self.width = per_row, width
        if width not in (8, 16):
            raise ValueError(f"`{self.name}`: a fingerprint has 8 or 16 bytes, not {width}")


class SelectorInstance(Instance):
    """A selector with its parameters."""

    def signature(self):
        return Signature(self.inputs)

    def process(self, batch):
        """Type and column of the keys, and the rejected rows."""
        answers, rejected = self.calls(batch)
        return self.op.key, columns.encode(self.op.key, answers), rejected

    def select(self, kind, column):
        """One byte per key: 1 keeps the row."""
        keys = list(columns.decode(kind, column))
        flags = self._guard(lambda: list(self.op.choose(keys, **self.arguments)))
        if len(flags) != len(keys):
            raise Failed(f"`{self.op.name}` chose among {len(flags)} rows instead of {len(keys)}")
        return bytes(1 if flag else 0 for flag in flags)


class Selector(Operator):
    """See `selector`."""

    kind = "selector"
    instance = SelectorInstance

    def __init__(self, function, *, choose, **options):
        super().__init__(function, **options)
        hint = self.hints.get("return")
        self.key = column_type(element(hint) if self.columns else plain(hint)[0], f"the key of `{self.name}`")
        self.choose = choose


deduplicator = decorator(Deduplicator)
selector = decorator(Selector)
