"""Writes cases.jsonl: texts, most of them broken on purpose, and what ftfy 6.3.1 makes of each (null: nothing).

    pip install ftfy==6.3.1
    python plugins/text-mappers/tests/fix_unicode/make_cases.py [OUT [NUMBER [JSONL]]]

With a JSONL file its lines of text are broken in place of the sentences below.
"""

import json
import pathlib
import random
import sys

import ftfy
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS, HTML_ENTITIES, UTF8_CLUES

SENTENCES = """Voilà, c'est déjà l'été à Paris — “très bien”…
Der Bär läuft über die Straße; süße Äpfel, größer als ½ kg
El niño comió jalapeños ¿verdad? ¡Sí, señor!
À noite, os corações são àquela hora tão próximos às vezes
Příliš žluťoučký kůň úpěl ďábelské ódy
Zażółć gęślą jaźń, źdźbło ŁÓDŹ
Árvíztűrő tükörfúrógép – őszintén
Съешь же ещё этих мягких французских булок
Ґрунт і їжа, ЄВРОПА
Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία, Άγγελος
Pijamalı hasta yağız şoföre çabucak güvendi İstanbul
Jūratė įlįsti ąžuolo šešėlį; ēka, ķirsis, ņemt
נקודה: שלום עולם
مرحبا بالعالم، كيف حالك؟
日本語のテキスト、ﾊﾝｶｸ ＦＵＬＬ　ＷＩＤＴＨ
中文文本，“引号”和——破折号
한국어 문장 각각
हिन्दी में पाठ కన్నడ தமிழ்
Emoji 😀 👍🏽 👩‍👧 ❤️ ✔ No problems
Price: €5 or £3 ± 2 % · © 2020 ® ™ 25 °C × 2 ² ³
¯\\_(ツ)_/¯ ┬─┬ ︵ ┻━┻ (òÓ,) °‿° ÔÔ
ﬁnal ﬂuﬃness, ŉ Ĳsland ǅ ﬆop
it’s ‘single’ „low“ «guillemets» ‹x› ʼn
plain ASCII & nothing else; a&amp;b &lt;tag&gt; &eacute; &EACUTE; &#233; &#x2019; &#59; &#x80; &nope; &#xD800; &#0;
<p>tags &amp; entities</p>
naïve café Ångström œuvre Œ Łódź ø Ø""".splitlines()

rng = random.Random(1)
SOUP = sorted({c for members in [*MOJIBAKE_CATEGORIES.values(), *UTF8_CLUES.values()] for c in members}) + list("ab Z.,?!\n\r\x1a\x1b[0m&;<")


def soup(length):
    return "".join(rng.choice(SOUP) for _ in range(length))


def misread(text):
    """UTF-8 read in another encoding."""
    codec = rng.choice(CHARMAP_ENCODINGS)
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:
        data = text.encode("utf-16", "surrogatepass").decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:  # CESU-8, and Java's null.
        pairs = (c if ord(c) < 0x10000 else chr(0xD7C0 + (ord(c) >> 10)) + chr(0xDC00 + (ord(c) & 0x3FF)) for c in text)
        data = "".join(pairs).encode("utf-8", "surrogatepass").replace(b"a", b"\xc0\x80")
    if rng.random() < 0.25:
        data = data.replace(b"\xa0", b" ")
    if rng.random() < 0.1:
        data = bytes(b for b in data if rng.random() > 0.03)
    text = data.decode(codec)
    if rng.random() < 0.2:  # An encoding with holes.
        text = "".join("\ufffd" if "\x80" <= c <= "\x9f" else c for c in text)
    if rng.random() < 0.1:
        text = "".join("?" if c > "\x7f" and rng.random() < 0.1 else c for c in text)
    return text


def controls(text):
    at = rng.randrange(len(text) + 1)
    extra = rng.choice(["\r\n", "\r", "\u2028", "\u2029", "\x85", "\x1b[31;1m", "\x1b\x00[0m", "\x00", "\x7f", "\ufeff", "\u206b", "\ufffc", "\x1a",
                        "\u0301", "\u0327\u0301", "\u3099", "\u1161", "\u212b", "\u0344", "\uff9e", "\x81", "\x9d", "\u00a0", "\u200b"])
    return text[:at] + extra + text[at:]


def entity(text):
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice([rng.choice(sorted(HTML_ENTITIES)), f"&#{rng.randrange(1 << rng.randrange(1, 22))};", f"&#x{rng.randrange(1 << rng.randrange(1, 22)):x};"]) + text[at:]


def case(sources):
    text = rng.choice(sources)
    if len(text) > 40 and rng.random() < 0.7:
        at = rng.randrange(len(text) - 20)
        text = text[at : at + rng.randrange(5, 60)]
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        text = misread(text)[:400]
    if rng.random() < 0.3:
        text = rng.choice(sources)[:30] + rng.choice([" ", "", "\n", "a"]) + text
    if rng.random() < 0.3:
        text = text + rng.choice([" ", "", "\n"]) + soup(rng.randrange(1, 8))
    if rng.random() < 0.3:
        text = controls(text)
    if rng.random() < 0.3:
        text = entity(text)
    return text if rng.random() < 0.8 else soup(rng.randrange(2, 7))


out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "cases.jsonl"
number = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
sources = SENTENCES
if len(sys.argv) > 3:
    with open(sys.argv[3], encoding="utf-8") as rows:
        sources = [line for row in rows for line in json.loads(row)["text"].split("\n") if line]
texts = {text for text in sources if len(sys.argv) <= 3}
while len(texts) < number:
    text = case(sources)
    if not any("\ud800" <= c <= "\udfff" for c in text):
        texts.add(text)
with open(out, "w", encoding="utf-8") as file:
    for text in sorted(texts):
        fixed = ftfy.fix_text(text, normalization="NFC")
        file.write(json.dumps([text, None if fixed == text else fixed], ensure_ascii=False, separators=(",", ":")) + "\n")
