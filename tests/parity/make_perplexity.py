"""Makes models/unigram.arpa, a small language model of the fixture's pieces, and with it goldens/perplexity_filter.jsonl.

    python3.11 -m venv /tmp/kenlm
    /tmp/kenlm/bin/pip install sentencepiece==0.2.3 kenlm==0.2.0
    /tmp/kenlm/bin/python tests/parity/make_perplexity.py

The steps of the golden are those of Data-Juicer 1.6.1's `perplexity_filter`: pieces joined by spaces, the score of each line, and the number
of its words and 1. Without the package `kenlm` the scores are computed here, in single precision, by what an ARPA file means.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from pathlib import Path

import sentencepiece

try:
    import kenlm
except ImportError:
    kenlm = None

HERE = Path(__file__).resolve().parent
ORDER = 3
DISCOUNT = 0.6
"""Taken from each count, for what was not seen (absolute discounting)."""
CASES = [
    {},
    {"min_ppl": 20, "max_ppl": 60},
    {"min_ppl": 20, "max_ppl": 60, "reversed_range": True},
]
MODELS = {"tokenizer_model": "models/unigram.model", "model": "models/unigram.arpa"}


def single(value: float) -> float:
    """The value in single precision."""
    return struct.unpack("f", struct.pack("f", value))[0]


def train(sentences: list[list[str]]) -> dict[tuple[str, ...], list[float]]:
    """N-grams with the logarithms of their probability and backoff weight; those of three words only if they occur twice."""
    counts: Counter[tuple[str, ...]] = Counter()
    for words in sentences:
        padded = ["<s>", *words, "</s>"]
        for n in range(1, ORDER + 1):
            counts.update(tuple(padded[i : i + n]) for i in range(len(padded) - n + 1))
    counts = Counter({gram: count for gram, count in counts.items() if len(gram) == 1 or count > 2 * len(gram) - 2})
    followers: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for gram in counts:
        followers.setdefault(gram[:-1], []).append(gram)
    del counts[("<s>",)]
    probability: dict[tuple[str, ...], float] = {}
    backoff: dict[tuple[str, ...], float] = {}
    total = sum(count for gram, count in counts.items() if len(gram) == 1)
    words = [gram for gram in counts if len(gram) == 1]
    unseen = DISCOUNT * len(words) / total
    for gram in words:
        probability[gram] = (counts[gram] - DISCOUNT) / total + unseen / (len(words) + 1)
    probability[("<unk>",)] = unseen / (len(words) + 1)
    for n in range(2, ORDER + 1):
        for context, grams in followers.items():
            if len(context) != n - 1:
                continue
            seen = sum(counts[gram] for gram in grams)
            rest = DISCOUNT * len(grams) / seen
            for gram in grams:
                shorter = gram[1:]
                while shorter not in probability:
                    shorter = shorter[1:]
                probability[gram] = (counts[gram] - DISCOUNT) / seen + rest * probability[shorter]
            lower = sum(probability.get(gram[1:], 0.0) for gram in grams)
            backoff[context] = max(rest * (1 - lower), 1e-6) / max(1 - lower, 1e-6)
    grams = {gram: [math.log10(value), 0.0] for gram, value in probability.items()}
    grams[("<s>",)] = [-99.0, 0.0]
    for context, value in backoff.items():
        if context in grams:
            grams[context][1] = math.log10(value)
    return grams


def write(grams: dict[tuple[str, ...], list[float]], path: Path) -> None:
    """Writes an ARPA file."""
    by_order = {n: sorted(gram for gram in grams if len(gram) == n) for n in range(1, ORDER + 1)}
    lines = ["\\data\\", *(f"ngram {n}={len(by_order[n])}" for n in by_order), ""]
    for n, some in by_order.items():
        lines.append(f"\\{n}-grams:")
        for gram in some:
            value, weight = grams[gram]
            lines.append(f"{value:.5f}\t{' '.join(gram)}" + (f"\t{weight:.5f}" if n < ORDER else ""))
        lines.append("")
    lines.append("\\end\\")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def read(path: Path) -> dict[tuple[str, ...], tuple[float, float]]:
    """Reads it again, in single precision."""
    grams = {}
    for line in path.read_text("utf-8").split("\n"):
        parts = line.split("\t")
        if len(parts) > 1:
            grams[tuple(parts[1].split(" "))] = (single(float(parts[0])), single(float(parts[2])) if len(parts) > 2 else 0.0)
    return grams


class Scorer:
    """What `kenlm.Model` does for a sentence with start and end."""

    def __init__(self, path: Path) -> None:
        self.grams = read(path)

    def score(self, sentence: str) -> float:
        context: list[str] = ["<s>"]
        total = 0.0
        for word in [*sentence.encode().split(), b"</s>"]:
            known = word.decode()
            if (known,) not in self.grams:
                known = "<unk>"
            history = context[-(ORDER - 1) :]
            start = next(i for i in range(len(history) + 1) if (*history[i:], known) in self.grams)
            value = self.grams[(*history[start:], known)][0]
            for i in range(start):
                value = single(value + self.grams.get(tuple(history[i:]), (0.0, 0.0))[1])
            total = single(total + value)
            context.append(known)
        return total


def main() -> None:
    """Makes both files."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(HERE / MODELS["tokenizer_model"]))
    rows = [json.loads(line) for line in (HERE / "fixture.jsonl").read_text("utf-8").split("\n") if line]
    joined = [" ".join(pieces.encode_as_pieces(row["text"])) for row in rows]
    arpa = HERE / MODELS["model"]
    write(train([[word.decode() for word in line.encode().split()] for text in joined[::2] for line in text.splitlines() if line]), arpa)
    own = Scorer(arpa)
    packaged = kenlm.Model(str(arpa)) if kenlm else own
    stats = []
    for text in joined:
        # For the package a word ends at a NUL, as strings of C do: a deliberate difference.
        model = own if "\0" in text else packaged
        logits, length = 0, 0
        for line in text.splitlines():
            logits += model.score(line)
            length += len(line.split()) + 1
        stats.append(round((10.0 ** (-logits / length)) if length != 0 else 0.0, 1))
    lines = []
    for case in CASES:
        low, high = case.get("min_ppl", 0), case.get("max_ppl", 1500)
        keep = [(low <= value <= high) != case.get("reversed_range", False) for value in stats]
        golden = {"op": "perplexity_filter", "params": {**MODELS, **case}, "keep": "".join("01"[kept] for kept in keep), "stats": {"perplexity": stats}}
        lines.append(json.dumps(golden))
    (HERE / "goldens" / "perplexity_filter.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    print(arpa.stat().st_size, "bytes;", "kenlm" if kenlm else "its own scorer;", sorted(stats)[:: len(stats) // 8])


main()
