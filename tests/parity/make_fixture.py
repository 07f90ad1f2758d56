"""Writes fixture.jsonl: the documents on which operators are compared with Data-Juicer's.

All of it is made up here: sentences in many scripts, mark-up, code, addresses and links, odd white space, emoji, combining marks, random
characters, empty, tiny, long and repetitive texts. The same every time.

    python tests/parity/make_fixture.py
"""

import json
import pathlib
import random

from more_documents import documents

SENTENCES = {
    "en": "The quick reader turns page after page. Nobody knows why it works, but it does! “Don't panic,” she said — twice.",
    "de": "Größere Flüsse führen öfter Hochwasser. Straßen werden gesperrt; ÜBUNG macht den Meister.",
    "fr": "L'été dernier, où étiez-vous ? Ça alors ! « Garçon, l'addition », dit-il à son cœur.",
    "es": "¿Dónde está la biblioteca? ¡Mañana será otro día! El niño comió 3 piñas.",
    "pl": "Zażółć gęślą jaźń. Pchnąć w tę łódź jeża lub ośm skrzyń fig.",
    "tr": "İstanbul'da ILIK bir gün. Şişli'den Iğdır'a kaç saat sürer?",
    "vi": "Hôm nay trời đẹp quá! Chúng tôi đi chợ mua rau và cá tươi.",
    "ru": "Сегодня хорошая погода. Где Ёжик? ГРОМ ГРЕМИТ, Г — буква.",
    "uk": "Їжак їсть яблуко. Ґанок старої хати, ЄДНІСТЬ і мир.",
    "el": "Ο ΟΔΥΣΣΕΥΣ ΤΑΞΙΔΕΥΕΙ. Καλημέρα, τι κάνεις; ΑΣ ΕΙΝΑΙ Σ.",
    "he": "שלום עולם, מה שלומך היום? הספר על השולחן.",
    "ar": "مرحبا بالعالم، كيف حالك؟ العدد ١٢٣٤٥ كبير؛ نعم.",
    "fa": "می‌خواهم کتاب بخوانم. ۱۲۳ نفر آمدند.",
    "hi": "नमस्ते दुनिया। आज मौसम अच्छा है, क्या आप १२३ गिन सकते हैं?",
    "bn": "আমার সোনার বাংলা। তুমি কেমন আছো? সংখ্যা ৪৫৬।",
    "ta": "வணக்கம் உலகம். இன்று வானிலை நன்றாக உள்ளது.",
    "th": "สวัสดีชาวโลก วันนี้อากาศดีมาก ราคา ๑๒๓ บาท",
    "zh": "今天天气很好，我们去公园散步。你好，世界！价格是１２３元（约￥20）。",
    "ja": "吾輩は散歩である。名前はまだ無い。カタカナとひらがな、ｱｲｳ、「引用」…ー゛。",
    "ko": "안녕하세요, 세계! 오늘은 날씨가 좋습니다. 숫자 123.",
    "ka": "გამარჯობა მსოფლიო. როგორ ხარ დღეს?",
    "hy": "Բարեւ աշխարհ։ Ինչպե՞ս ես այսօր։",
    "am": "ሰላም ለዓለም። እንዴት ነህ?",
    "my": "မင်္ဂလာပါ ကမ္ဘာလောက။ ၁၂၃",
    "chr": "ᎣᏏᏲ ᎡᎶᎯ Ꮳ Ᏼ ꭰꮉ",
}
SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u180e\u2000\u2003\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\ufffc\x84"
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "❤️", "☃", "Ⓜ️", "ℹ", "🅰", "™", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "♟", "🫠", "🀄"]
MARKS = ["e\u0301", "n\u0303", "Z\u0351\u0352\u035a", "क\u094d\u0937", "ก\u0e49", "a\u200d", "\u0301", "i\u0307"]
CODE = """def area(radius: float) -> float:
\t\"\"\"Area of a circle.\"\"\"
\treturn 3.14159 * radius ** 2


if __name__ == "__main__":
\tfor r in range(10):
\t\tprint(f"{r}: {area(r):.2f}")
"""
HTML = """<!DOCTYPE html>
<html><head><title>Shop &amp; more</title><link rel="stylesheet" href="https://cdn.shop.example/a.css?v=1.2"></head>
<body><p class='x'>Write to <a href="mailto:info@shop.example">info@shop.example</a> or see www.shop.example/help (or <b>call</b>).</p></body></html>
"""
ADDRESSES = [
    "a@b.cd", "Mr.X+y_z@mail-1.example.co.uk.", "no@tld", "@start.com", "end@", "a@@b.cc", "x@Y.com", "x@y.COM", "x@y.c1.dd-", "é@é.fr", "a@.b.c",
    "ü.a@b.info,c@d.ee", "me@host..com", "A@b_c.de+f",
]
LINKS = [
    "http://example.com", "https://example.com/a_(b)_c?d=e#f.", "HTTP://EXAMPLE.COM/x", "ftp://files.example/pub/", "www.example.org", "WWW2.example.org!",
    "www1234.example.org", "example.com/path", "sub.domain.example.info/x/y", "x.museum/hall", "key:value", "a:b", "at 12:30", "note: not", "mailto:a@b.cc",
    "foo-bar:baz", "_foo:bar", "http:/x", "http:///x/y", "http://(x)", "http://x(y(z))w", "http://x(y(z", "http://日本.jp/パス。続き", "http://x.y/z”", "C:\\dir",
    "std::vec::Vec", "1a:23", "x-www.ab.com/cd", "éwww.example.org", "http://a.b/c,d;e:f", "http://x.y/<b>", "a.bc/de", "a.bcdef/gh", "K.com/x1",
    "tel:+49%20", "a.b.c.de/f(g)h.", "http://x.y/z\u3000w", "javascript:void(0)", "http://u:p@h.example:80/",
]
REPEATS = ["ab", "aaa", "abc ", "Ha ha! ", "日本", "no. yes. ", "word ", "x\n", "one two three four five six seven eight nine ten. ", "😀 "]
BLOCKS = [(0x20, 0x7e), (0, 0x1f), (0x80, 0x24f), (0x300, 0x36f), (0x370, 0x52f), (0x590, 0x6ff), (0x900, 0xdff), (0x1000, 0x10ff), (0x13a0, 0x13ff),
          (0x1e00, 0x1fff), (0x2000, 0x2bff), (0x2c00, 0x2dff), (0x3000, 0x30ff), (0x4e00, 0x9fff), (0xa640, 0xa7ff), (0xab30, 0xabbf), (0xac00, 0xd7a3),
          (0xf900, 0xffef), (0x10000, 0x104ff), (0x1d400, 0x1d7ff), (0x1f100, 0x1faff), (0x20000, 0x2a6df), (0xe0000, 0xe01ef)]

rng = random.Random(20240607)
texts = ["", " ", "\n", "\r\n", "a", "é", "日", "😀", "Г", "г", "1", ".", "\u200b", "\u0301", "\x85", "\x1f", "\ufeff", "a\n", "\na", "a\r\n\r\nb", "a b"]


def words(count, pool):
    return " ".join(rng.choice(pool) for _ in range(count))


pool = [word for sentence in SENTENCES.values() for word in sentence.split()]
for sentence in SENTENCES.values():
    texts += [sentence, "  " + sentence.upper() + "\n\n" + sentence.lower() + "\t"]
    shuffled = sentence.split()
    for length in (12, 60, 200):
        texts.append(" ".join(rng.choices(shuffled, k=length)))
for _ in range(30):
    texts.append("".join(rng.choice(list(SENTENCES.values())) + rng.choice(["\n", "\r\n", " ", "\t", "\u2028", "\n\n", "\x0b"]) for _ in range(rng.randint(2, 9))))
for _ in range(20):
    texts.append("".join(rng.choice(SPACES) if rng.random() < 0.4 else rng.choice(pool) for _ in range(rng.randint(3, 60))))
for _ in range(10):
    texts.append("".join(rng.choice(EMOJI + MARKS + [" ", "x", "\n"]) for _ in range(rng.randint(1, 60))))
for _ in range(30):
    texts.append(" ".join(rng.choice(ADDRESSES + LINKS + pool) for _ in range(rng.randint(1, 25))))
texts += ADDRESSES + LINKS
for _ in range(20):
    texts.append("".join(rng.choice(["@", ".", "a", "B", "1", "-", "com", "x@y.zz", ":", "/", "//", "www.", "(", ")", " ", ",", "é", "日", "%", "http://"])
                         for _ in range(rng.randint(1, 20))))
texts += [CODE, CODE * 3, CODE.replace("\n", "\r\n"), HTML, HTML * 2, HTML.replace("<", "&lt;"), json.dumps({"a": [1, 2, {"b": None}], "c": "é"}, indent=2)]
for piece in REPEATS:
    texts += [piece * 3, piece * 40, piece * 40 + words(20, pool), "".join(piece + rng.choice(pool) for _ in range(30))]
for low, high in BLOCKS:
    for length in (40, 200):
        texts.append("".join(chr(rng.randint(low, high)) + (" " if rng.random() < 0.15 else "") for _ in range(length)))
for _ in range(12):
    picked = [rng.choice(BLOCKS) for _ in range(rng.randint(30, 300))]
    texts.append("".join(chr(rng.randint(low, high)) for low, high in picked))
texts += [words(3000, SENTENCES["en"].split()), "x" * 20000, "long line " * 1500, "日本語の長い行。" * 800]
texts += ["| a | b |\n|---|---|\n| 1 | 2 |\n" * 5, "1 2 3 4 5 6 7 8 9 10 11 12", "!!! ??? ... --- ***", "A. B. C. D. E. F. G. H. I. J. K. L."]
# Duplicates for the deduplicators: exact, and equal but for case, spaces, digits or punctuation.
for text in rng.sample(texts, 12):
    texts += [text, text.upper(), f"\n{text} ", text.replace(" ", "  1. ")]
# Behind the others, so that their rows stay as they are.
texts += documents(random.Random(5))

assert all(not 0xD800 <= ord(c) <= 0xDFFF for text in texts for c in text)
with open(pathlib.Path(__file__).with_name("fixture.jsonl"), "w", encoding="utf-8") as out:
    for i, text in enumerate(texts):
        meta = {
            "lang": rng.choice([*SENTENCES, "en", "en", "zh", None]),
            "score": rng.choice([None, round(rng.uniform(-5, 5), 3), rng.randint(0, 5) * 1.0]),
            "spelled": rng.choice([str(rng.randint(0, 99)), " 7.5 ", "none", None]),
            "ratios": [round(rng.random(), 2) for _ in range(rng.randint(0, 4))],
        }
        row = {"text": text, "rank": rng.randint(0, 60), "meta": meta}
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
# Every sixth row, for operators whose answers are long.
rows = open(pathlib.Path(__file__).with_name("fixture.jsonl"), encoding="utf-8").read().split("\n")
open(pathlib.Path(__file__).with_name("few.jsonl"), "w", encoding="utf-8").writelines(row + "\n" for row in rows[:-1:6])
print(len(texts), "documents")
