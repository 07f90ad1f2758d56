"""Trains models/punkt, parameters of nltk's Punkt in the format of `punkt_tab`, on sentences made up here and on the fixture. Needs nltk 3.10.3.

    /tmp/data-juicer/bin/python tests/parity/make_punkt.py
"""

import json
import pathlib
import random

from nltk.tokenize.punkt import PunktTrainer

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "models" / "punkt"

TITLES = "Mr. Mrs. Dr. Prof. Sr. Gen. St. Mme. Hr. Sra.".split()
NAMES = "Weber Smith García Dupont Åberg Öztürk Müller Silva Novák O'Neil Meier-Lang Ёлкин Σωκράτης Ivanov".split()
INITIALS = "J. S. K. É. A. I. Ö. Г. Σ. x.".split()
WORDS = """the a he she it we they house river paper price market old new green quickly never often read wrote sold found between and or but because
with about under today tomorrow street number table page water company village school window été über größe дом слово και λόγος niño ação""".split()
STARTERS = "The He She It We They However But In Today Der Die El La Le Он И Ο".split()
SHORT = "e.g. i.e. etc. vs. approx. z.B. d.h. ca. p.m. a.m. U.S. Inc. Ltd. Jan. Feb. Sept. fig. no. pp. vol. av. km. т.е. π.χ.".split()
NUMBERS = "3 17 1,000 3.14 1999 .5 -7 12.5.2020 ٣٤ 5-6".split()
ENDS = [". "] * 12 + ["! ", "? ", "... ", ".\n", '." ', ".) ", "?! ", ".” ", ". ", "! ", ".’ ", ".» ", ".-- ", "; ", ": "]
ORDINALS = ["am 3. Mai", "den 12. Oktober", "im 19. Jahrhundert", "on page no. 5", "vol. 2 pp. 3-4", "at 5 p.m. in", "King George I. of"]


def phrase(rng):
    """A few words, as they stand within a sentence."""
    return rng.choice([
        lambda: rng.choice(WORDS), lambda: rng.choice(WORDS), lambda: rng.choice(WORDS), lambda: rng.choice(WORDS), lambda: rng.choice(NAMES),
        lambda: f"{rng.choice(TITLES)} {rng.choice(NAMES)}", lambda: f"{rng.choice(INITIALS)} {rng.choice(NAMES)}",
        lambda: f"{rng.choice(INITIALS)} {rng.choice(INITIALS)} {rng.choice(NAMES)}", lambda: rng.choice(SHORT), lambda: rng.choice(NUMBERS),
        lambda: rng.choice(ORDINALS), lambda: f"({rng.choice(SHORT)} {rng.choice(WORDS)})", lambda: f'"{rng.choice(WORDS)}"',
    ])()


def sentence(rng):
    words = [rng.choice(STARTERS) if rng.random() < 0.8 else rng.choice(WORDS).capitalize(), *(phrase(rng) for _ in range(rng.randint(1, 9)))]
    return " ".join(words) + rng.choice(ENDS)


def text(rng, sentences):
    return "".join(sentence(rng) for _ in range(sentences))


if __name__ == "__main__":
    rng = random.Random(3)
    rows = [json.loads(line) for line in (HERE / "fixture.jsonl").read_text(encoding="utf-8").split("\n") if line]
    trainer = PunktTrainer()
    trainer.INCLUDE_ALL_COLLOCS = True
    trainer.train("\n".join([text(rng, 3000), *(row["text"] for row in rows)]), finalize=True)
    params = trainer.get_params()
    MODEL.mkdir(parents=True, exist_ok=True)
    pairs = ["\t".join(pair) for pair in params.collocations]
    # Words of few letters are enough, and a small file.
    seen = [f"{word}\t{flags}" for word, flags in params.ortho_context.items() if flags and len(word) < 12]
    for name, lines in [("abbrev_types.txt", params.abbrev_types), ("sent_starters.txt", params.sent_starters), ("collocations.tab", pairs),
                        ("ortho_context.tab", seen)]:
        (MODEL / name).write_text("".join(line + "\n" for line in sorted(lines)), encoding="utf-8")
        print(name, len(lines))
