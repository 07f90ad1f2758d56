"""Writes the tables of `fix_unicode_mapper`.

They say what ftfy and Python say, so that texts come out as Data-Juicer's. The committed tables are of ftfy 6.3.1 and Python 3.11:

    pip install ftfy==6.3.1
    python plugins/text-mappers/tables/generate.py
"""

import pathlib
import re
import unicodedata

import ftfy.bad_codecs
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS, HTML_ENTITIES, LIGATURES, UTF8_CLUES, WIDTH_MAP
from ftfy.fixes import fix_line_breaks, remove_control_chars, uncurl_quotes

OUT = pathlib.Path(__file__).resolve().parents[1] / "src" / "fix_unicode"
FTFY = "ftfy 6.3.1, see README.md."
BMP = [chr(c) for c in range(0x10000) if not 0xD800 <= c <= 0xDFFF]


def write(name, about, lines):
    head = f"# {about}\n# Made by tables/generate.py; do not edit.\n"
    (OUT / name).write_text(head + "".join(line + "\n" for line in lines), encoding="utf-8")


def points(text):
    return "+".join(f"{ord(c):X}" for c in text)


def ranges(chars):
    runs = []
    for c in map(ord, chars):
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return [f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in runs]


def wrapped(words, width=136):
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = ""
        line += (" " if line else "") + word
    yield line


classes = []
for name, members in [*MOJIBAKE_CATEGORIES.items(), *UTF8_CLUES.items()]:
    found = re.compile(f"[{members}]")
    classes += wrapped(["@" + name, *ranges(c for c in BMP if found.match(c))])
write("classes.txt", f"The characters that occur in mojibake, by category, from {FTFY}", classes)

codecs = []
for name in CHARMAP_ENCODINGS:
    codecs += wrapped(["@" + name, *(f"{ord(c):X}" for c in bytes(range(0x80, 0x100)).decode(name))])
write("codecs.txt", "What the bytes 80 to FF are in each encoding, in the order in which ftfy 6.3.1 tries them.", codecs)


def form(c):
    text = c.translate(LIGATURES).translate(WIDTH_MAP)
    return remove_control_chars(fix_line_breaks(uncurl_quotes(text)))


# C1 controls become what they are in Windows-1252 before this table is used.
forms = [f"{points(c)}={points(form(c))}" for c in BMP if form(c) != c and not "\x80" <= c <= "\x9f"]
write("forms.txt", f"Characters that are replaced one by one, or removed, from {FTFY}", wrapped(forms))

# Longer names are never looked up.
entities = [f"{name[1:-1]}={points(text)}" for name, text in sorted(HTML_ENTITIES.items()) if len(name) <= 26]
write("entities.txt", "HTML5's entities, and in capitals those that are unambiguous so, as in ftfy 6.3.1.", wrapped(entities))

# Python leaves these alone when it normalizes; a later Unicode may know better.
unassigned = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) == "Cn"]
write("unassigned.txt", f"Code points below 20000 without a character in Unicode {unicodedata.unidata_version}.", wrapped(ranges(unassigned)))
