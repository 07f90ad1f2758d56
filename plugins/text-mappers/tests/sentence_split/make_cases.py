"""Writes cases.jsonl: texts made up here and what nltk 3.10.3 makes of each with the parameters of tests/parity/models/punkt: its sentences,
joined by line feeds (null: the text itself).

    python plugins/text-mappers/tests/sentence_split/make_cases.py [OUT [NUMBER [MODEL [JSONL]]]]

With another model (a directory in the format of nltk's `punkt_tab`) and the texts of a JSONL file for one's own checks.
"""

import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
PARITY = HERE.parents[3] / "tests" / "parity"
sys.path.insert(0, str(PARITY))

from make_punkt import INITIALS, NAMES, SHORT, TITLES, WORDS, phrase, text  # noqa: E402
from nltk.tabdata import PunktDecoder  # noqa: E402
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer  # noqa: E402

rng = random.Random(5)
# What the rules are about, and white space of all kinds.
MARKS = list(".?!,;:-–…\"'`()[]{}*@#&‘’“”«»。!") + ["..", "...", ". .", ". . .", "--", "?!", "e.g.", "##number##", "_.", "².", "Ⅷ.", "ǅ.", "ﬁ.", "ß.", "İ.", "Σ."]
SPACES = [" "] * 8 + list("\n\t\r\x0b\x0c\x1c\x1f\x85\xa0\u2003\u2028\u3000\u200b") + ["\n\n", "  ", " \n ", "\r\n"]


def load(directory):
    decoder, params = PunktDecoder(), PunktParameters()
    lines = lambda name: open(pathlib.Path(directory) / name, encoding="utf-8")
    params.abbrev_types = decoder.txt2set(lines("abbrev_types.txt"))
    params.sent_starters = decoder.txt2set(lines("sent_starters.txt"))
    params.collocations = set(decoder.tab2tups(lines("collocations.tab")))
    params.ortho_context = decoder.tab2intdict(lines("ortho_context.tab"))
    return PunktSentenceTokenizer(params)


def soup():
    """Marks, words and white space without order."""
    parts = [MARKS] * 4 + [SPACES] * 4 + [WORDS, NAMES, INITIALS, SHORT, TITLES, list("aAzZ19é日")]
    return "".join(rng.choice(rng.choice(parts)) for _ in range(rng.randint(1, 30)))


def broken():
    """Sentences into which something is put, or of which something is taken."""
    chars = list(text(rng, rng.randint(1, 3)))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(chars))
        chars[at : at + rng.randint(0, 2)] = rng.choice(rng.choice([MARKS, SPACES]))
    return "".join(chars)


def around():
    """Two words with a mark and white space between."""
    word = lambda: rng.choice([phrase(rng), rng.choice(WORDS).capitalize(), rng.choice(SHORT), rng.choice(MARKS), rng.choice(INITIALS)])
    return f"{word()} {word()}{rng.choice(['.', '.', '', '?', '...'])}{rng.choice(['', '', rng.choice(MARKS)])}{rng.choice(SPACES)}{word()} {word()}"


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "cases.jsonl"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    tokenizer = load(sys.argv[3] if len(sys.argv) > 3 else PARITY / "models" / "punkt")
    texts = [soup() if i % 4 == 0 else broken() if i % 4 == 1 else around() for i in range(number)]
    if len(sys.argv) > 4:
        texts = [json.loads(line)["text"] for line in open(sys.argv[4], encoding="utf-8")]
    with open(out, "w", encoding="utf-8") as file:
        for one in texts:
            split = "\n".join(tokenizer.tokenize(one))
            file.write(json.dumps([one, None if split == one else split], ensure_ascii=False) + "\n")
