"""Writes the character tables of the SDK, of the text filters and of the models.

The tables say what Python says, so that ratios and word counts agree with Data-Juicer's to the last digit. Run with the Python and the
packages whose results are wanted (the committed tables: Python 3.11, Unicode 14; py-data-juicer 1.6.1 with emoji 2.2.0):

    pip install py-data-juicer==1.6.1 aiohttp
    python sdk/rust/tables/generate.py
"""

import pathlib
import unicodedata

import emoji
import regex
from data_juicer.ops.common.special_characters import SPECIAL_CHARACTERS

ROOT = pathlib.Path(__file__).resolve().parents[3]


def table(name, doc, test, visibility="pub"):
    """A two-stage bitmap: one byte per page of 256 code points says which of the distinct pages it is."""
    pages = []
    for page in range(0x1100):
        points = (page * 256 + i for i in range(256))
        bits = sum(1 << i for i, c in enumerate(points) if not 0xD800 <= c <= 0xDFFF and test(chr(c)))
        pages.append(bits)
    while pages[-1] == 0:
        pages.pop()
    distinct = sorted(set(pages) | {0})
    index = [distinct.index(page) for page in pages]
    assert len(distinct) <= 256
    out = [f"/// {doc}", f"{visibility} static {name}: CharSet = CharSet::new(&[", *rows(map(str, index)), "], &["]
    for bits in distinct:
        out.append("    [" + ", ".join(f"0x{bits >> 64 * k & (1 << 64) - 1:x}" for k in range(4)) + "],")
    return "\n".join(out) + "\n]);\n"


def rows(numbers):
    line = "   "
    for number in numbers:
        if len(line) + len(number) > 136:
            yield line
            line = "   "
        line += f" {number},"
    yield line


def write(path, head, *tables):
    text = f"//! {head} Made by `sdk/rust/tables/generate.py`; do not edit.\n\n"
    (ROOT / path).write_text(text + "\n".join(tables))


word = regex.compile(r"\w")
write(
    "sdk/rust/src/text/tables.rs",
    f"Character tables: Unicode {unicodedata.unidata_version}, as Python sees it.",
    "use super::charset::CharSet;\n",
    table("ALPHANUMERIC", "Python's `str.isalnum`.", str.isalnum, "pub(super)"),
    table("WORD", "`\\\\w` of Python's `regex` module.".replace("\\\\", "\\"), word.match),
)
write(
    "plugins/models/src/alphabetic_table.rs",
    f"Letters: Unicode {unicodedata.unidata_version}, as Python sees it.",
    "use djhost_sdk::text::CharSet;\n",
    table("ALPHABETIC", "Python's `str.isalpha`.", str.isalpha, "pub(crate)"),
)
write(
    "plugins/text-filters/src/special_table.rs",
    f"Data-Juicer's special characters: punctuation, digits, white space, symbols, and the emoji of one code point of emoji {emoji.__version__}.",
    "use djhost_sdk::text::CharSet;\n",
    table("SPECIAL", "The special characters.", SPECIAL_CHARACTERS.__contains__, "pub(crate)"),
)
