"""Write operators for djhost in Python: a decorator over a plain function with type hints.

Positional arguments are fields of the row, keyword-only arguments are parameters of the recipe:

    @filter(stat="questions", range=("min_num", None))
    def question_filter(text: str, *, min_num: int = 1) -> int:
        "Keeps texts that ask something."
        return text.count("?")

`python -m djhost_sdk build FILE.py… -o OPS.wasm` makes a component of the operators in these files.

All decorators take `name` (the function's, if not given), `cost` ("light", "medium", "heavy") and `columns`: with `columns=True` the function
is called once for a batch, gets `Texts`, `Numbers`, `Lists`, `Blobs` or `Vectors` in place of single values, and gives a list with one answer per row.

A parameter of the type `KenLM`, `FastText`, `Tokenizer`, `Onnx`, `Lines`, `Words` or `Substrings` is a model that the recipe lends (`models.py`).

`filter`        returns the stat (`stat=KEY`, kept by `range=(PARAM, PARAM)`), several (`stats={KEY: TYPE}`, kept by the function `keep`, which
                gets them and the parameters), or simply whether the row stays
`mapper`        returns the new text, or a dict of fields (`writes={PATH: TYPE}`); None changes nothing
`expander`      returns or yields the texts, or dicts of fields, of the rows to make of this one
`deduplicator`  returns a fingerprint: a str, which is hashed, an int, or `width` bytes; a list of `per_row` of them; None is nobody's duplicate
`selector`      returns the row's key; `choose(keys, **parameters)` gets those of all rows and gives a flag for each
"""

from .columns import Blobs, Lists, Numbers, Texts, Vector, Vectors
from .errors import InvalidParams, Reject
from .filters import filter
from .global_ops import deduplicator, selector
from .hints import Blob, Field, RowId
from .mappers import expander, mapper
from .models import FastText, KenLM, Lines, Onnx, Substrings, Tensor, Tokenizer, Words
from .params import Common, Param

__all__ = [
    "Blob",
    "Blobs",
    "Common",
    "FastText",
    "Field",
    "InvalidParams",
    "KenLM",
    "Lines",
    "Lists",
    "Numbers",
    "Onnx",
    "Param",
    "Reject",
    "RowId",
    "Substrings",
    "Tensor",
    "Texts",
    "Tokenizer",
    "Vector",
    "Vectors",
    "Words",
    "deduplicator",
    "expander",
    "filter",
    "mapper",
    "selector",
]
