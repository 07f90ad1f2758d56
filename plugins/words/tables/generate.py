"""Writes src/classes.rs and src/specials/*.txt from spaCy's rules for words and datatrove's sets of characters. Needs spaCy 3.8 and datatrove 0.10,
and a Python with Unicode 14 (3.11).

    python plugins/words/tables/generate.py
"""

import pathlib
import re
import sys
import unicodedata

import spacy
from datatrove.utils.text import PUNCTUATION, PUNCTUATION_SET, TERMINAL_PUNCTUATION
from spacy.lang import char_classes as cc
from spacy.pipeline import Sentencizer

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
SPECIALS = SRC / "specials"


def plain(pieces: list[str]) -> str:
    """A class of the pieces that are one character."""
    return "".join(re.escape(piece.replace("\\", "")) for piece in pieces if len(piece.replace("\\", "")) == 1)


QUOTES, PUNCT = plain(cc.LIST_QUOTES), plain(cc.LIST_PUNCT)
CLASSES = {
    "PREFIX": rf"[§%=—–{PUNCT}…{QUOTES}{plain(cc.LIST_CURRENCY)}{cc.ICONS}]",
    "SUFFIX": rf"[{PUNCT}…{QUOTES}{cc.ICONS}—–]",
    "ICON": f"[{cc.ICONS}]",
    "ALPHA": f"[{cc.ALPHA}]",
    "LOWER": f"[{cc.ALPHA_LOWER}]",
    "UPPER": f"[{cc.ALPHA_UPPER}]",
    "QUOTE": f"[{cc.CONCAT_QUOTES}]",
    "BEFORE_DOT": rf"[0-9{cc.ALPHA_LOWER}%²\-\+{cc.PUNCT}(?:{cc.CONCAT_QUOTES})]",
    "CURRENCY": f"[{plain(cc.LIST_CURRENCY)}]",
    "ENDS_SENTENCE": f"[{''.join(map(re.escape, Sentencizer.default_punct_chars))}]",
}

OTHERS = {
    "PUNCTUATION": lambda char: unicodedata.category(char).startswith("P"),
    "NONSPACING": lambda char: unicodedata.category(char) == "Mn",
    "BLANKED": set(PUNCTUATION).__contains__,
    "LETTER": str.isalpha,
    "ALPHANUMERIC": str.isalnum,
    "CAPITAL": str.isupper,
    "DIGIT": str.isdigit,
    "SYMBOL": PUNCTUATION_SET.__contains__,
    "TERMINAL": TERMINAL_PUNCTUATION.__contains__,
}


def ranges() -> list[tuple[int, int]]:
    """Where the classes of characters change, and which there are from there on."""
    tests = [re.compile(pattern) for pattern in CLASSES.values()]
    found = [(0, 0)]
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        flags = sum(1 << bit for bit, test in enumerate(tests) if test.match(char))
        flags |= sum(1 << bit for bit, test in enumerate(OTHERS.values(), len(tests)) if test(char))
        if 0xD800 <= code < 0xE000:
            flags = 0
        if flags != found[-1][1]:
            found.append((code, flags))
    return found


def specials(rules: dict[str, list[dict[int, str]]], without: set[str]) -> str:
    """A line of words for each string that is cut into them whatever the rules say."""
    lines = {" ".join(token[spacy.symbols.ORTH] for token in tokens) for text, tokens in rules.items() if text not in without and text.strip()}
    assert not any("".join(line.split(" ")) == "" for line in lines)
    return "".join(sorted(f"{line}\n" for line in lines))


def main() -> None:
    base, english = spacy.blank("xx").tokenizer, spacy.blank("en").tokenizer
    SPECIALS.mkdir(exist_ok=True)
    (SPECIALS / "base.txt").write_text(specials(base.rules, set()))
    (SPECIALS / "en.txt").write_text(specials(english.rules, set(base.rules)))
    names = [*CLASSES, *OTHERS]
    found = ranges()
    rows = "".join(f"    ({code:#x}, {flags:#x}),\n" for code, flags in found)
    consts = "".join(f"pub const {name}: u32 = 1 << {bit};\n" for bit, name in enumerate(names))
    units = "".join(f"    {unit!r},\n".replace("'", '"') for unit in sorted(set(cc.LIST_UNITS), key=lambda unit: (-len(unit), unit)))
    (SRC / "classes.rs").write_text(
        "//! Classes of characters: those of spaCy's rules for words, of datatrove, and of Python. Written by `tables/generate.py`; see\n//! `specials/README.md`.\n\n"
        f"{consts}\n"
        "/// Units that are cut off a number, longest first.\n#[rustfmt::skip]\n"
        f"pub const UNITS: [&str; {len(set(cc.LIST_UNITS))}] = [\n{units}];\n\n"
        "/// From which character on there are which classes.\n"
        "#[rustfmt::skip]\n"
        f"pub static CLASSES: [(u32, u32); {len(found)}] = [\n{rows}];\n"
    )


if __name__ == "__main__":
    main()
