"""Writes the cases `tests/jobs/bloom_paragraph_deduplicator*`: documents made up here with planted duplicates, and what a plain implementation of the
operator's rules, with the same hashes and the same filter, makes of them. The filters are small, so that false positives occur and must be the same.

    python3.11 -m venv /tmp/bloom && /tmp/bloom/bin/pip install xxhash==4.1.0 uniseg==0.10.1
    /tmp/bloom/bin/python plugins/dedup/tests/bloom/make_cases.py

With a file of rows and parameters as JSON it prints what becomes of these rows instead:

    /tmp/bloom/bin/python plugins/dedup/tests/bloom/make_cases.py rows.jsonl '{"ngram_size": 5}'
"""

from __future__ import annotations

import json
import math
import pathlib
import random
import sys
from typing import Any

from uniseg.wordbreak import words as words_of
from xxhash import xxh3_64_intdigest as xxh3

CASES = pathlib.Path(__file__).resolve().parents[4] / "tests/jobs"
DEFAULTS: dict[str, Any] = {
    "text_key": "text",
    "unit": "paragraph",
    "ngram_size": 13,
    "min_words": 13,
    "threshold": 0.8,
    "document_threshold": 0.8,
    "expected_keys": 100_000_000,
    "false_positive_rate": 0.01,
}
SALTS = [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31]
FACTOR = 0x243F6A8885A308D3
MASK = (1 << 64) - 1


def rate_at(bits_per_key: float) -> float:
    """The rate of false positives of a filter of 256-bit blocks."""
    mean = 256 / bits_per_key
    return sum(math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) * (1 - (31 / 32) ** n) ** 8 for n in range(int(mean + 12 * math.sqrt(mean) + 40)))


def hash_of(text: str) -> int:
    return xxh3(text.encode())


class Filter:
    """A Bloom filter of 256-bit blocks."""

    def __init__(self, expected_keys: int, false_positive_rate: float) -> None:
        eighths = 8
        while rate_at(eighths / 8) > false_positive_rate:
            eighths += 1
        self.blocks = [0] * max(-(-(expected_keys * eighths // 8) // 256), 1)

    def place(self, key: str) -> tuple[int, int]:
        hashed = max(hash_of(key), 1)
        block = (hashed >> 32) * len(self.blocks) >> 32
        bits = sum(1 << (32 * word + ((hashed & 0xFFFFFFFF) * salt & 0xFFFFFFFF) // (1 << 27)) for word, salt in enumerate(SALTS))
        return block, bits

    def has(self, key: str) -> bool:
        block, bits = self.place(key)
        return self.blocks[block] & bits == bits

    def add(self, key: str) -> None:
        block, bits = self.place(key)
        self.blocks[block] |= bits


def as_key(hashed: int) -> str:
    return "".join(chr(48 + (hashed >> 6 * i & 63)) for i in range(11))


def keys_of(unit: str, params: dict[str, Any]) -> list[str]:
    words = [word for word in words_of(unit) if word.strip()]
    if not unit.strip() or len(words) < params["min_words"]:
        return []
    size = params["ngram_size"]
    if size is None:
        return [as_key(hash_of(unit))]
    hashes = [hash_of(word) for word in words]
    found = []
    for start in range(max(len(words) - size, 0) + 1):
        value = 0
        for hashed in hashes[start : start + size]:
            value = (value * FACTOR + hashed) & MASK
        found.append(as_key(value))
    return found


def deduplicate(rows: list[dict[str, Any]], given: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that stay, with what stays of them."""
    params = DEFAULTS | given
    seen = Filter(params["expected_keys"], params["false_positive_rate"])
    out = []
    for row in rows:
        text = row[params["text_key"]]
        units = text.split("\n") if params["unit"] == "paragraph" else [text]
        kept, found_in_all, all_keys = [], 0, 0
        for unit in units:
            keys = keys_of(unit, params)
            found = sum(seen.has(key) for key in keys)
            found_in_all, all_keys = found_in_all + found, all_keys + len(keys)
            if not keys or found / len(keys) <= params["threshold"]:
                kept.append(unit)
                for key in keys:
                    seen.add(key)
        limit = params["document_threshold"]
        if limit is None or not all_keys or found_in_all / all_keys <= limit:
            out.append(row | ({params["text_key"]: "\n".join(kept)} if params["unit"] == "paragraph" else {}))
    return out


WORDS = "river paper price market old new green never read wrote sold found street number table page water village school window the of to and in was".split()


def documents() -> list[dict[str, Any]]:
    rng = random.Random(20)

    def paragraph() -> str:
        return " ".join(rng.choices(WORDS, k=rng.choice([2, 6, 14, 25, 40]))).capitalize() + rng.choice([".", "!", " (it's 3.5)", ""])

    known = [paragraph() for _ in range(8)]
    rows: list[dict[str, Any]] = []
    for number in range(60):
        if rows and rng.random() < 0.15:
            # A copy of a document, maybe with a word changed.
            words = rng.choice(rows)["text"].split(" ")
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            text = " ".join(words)
        else:
            text = "\n".join(rng.choice([paragraph(), paragraph(), rng.choice(known), ""]) for _ in range(rng.randint(1, 6)))
            known.append(rng.choice(text.split("\n")))
        rows.append({"url": f"https://example.org/{rng.randrange(45)}", "text": text, "n": number})
    return rows


def dumps(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


SETS: dict[str, dict[str, Any]] = {
    "": {"expected_keys": 500, "false_positive_rate": 0.2},
    "-whole": {"ngram_size": None, "min_words": 0, "document_threshold": None, "expected_keys": 60, "false_positive_rate": 0.05},
    "-documents": {"unit": "document", "ngram_size": 5, "min_words": 3, "threshold": 0.6, "document_threshold": 0.6, "expected_keys": 20_000},
    "-urls": {"text_key": "url", "unit": "document", "ngram_size": None, "min_words": 0, "expected_keys": 1000, "false_positive_rate": 0.0001},
}


def main() -> None:
    if len(sys.argv) > 2:
        with open(sys.argv[1], encoding="utf-8") as lines:
            given = [json.loads(line) for line in lines]
        sys.stdout.write(dumps(deduplicate(given, json.loads(sys.argv[2]))))
        return
    rows = documents()
    for name, params in SETS.items():
        case = CASES / f"bloom_paragraph_deduplicator{name}"
        case.mkdir(exist_ok=True)
        out = deduplicate(rows, params)
        exact = deduplicate(rows, params | {"expected_keys": 100_000, "false_positive_rate": 1e-06})
        print(f"{case.name}: {len(rows) - len(out)} dropped, {sum(row not in exact for row in out) + len(exact) - len(out)} rows by false positives")
        (case / "input.jsonl").write_text(dumps(rows), encoding="utf-8")
        (case / "expected.jsonl").write_text(dumps(out), encoding="utf-8")
        dropped = {"0": len(rows) - len(out)} if len(out) < len(rows) else {}
        ledger = {"read": len(rows), "output": len(out), "dropped": dropped, "merged": {}, "quarantined": 0, "created": {}}
        (case / "ledger.json").write_text(json.dumps(ledger, indent=2) + "\n")
        recipe = f"dataset_path: input.jsonl\nexport_path: out.jsonl\nprocess:\n  - bloom_paragraph_deduplicator: {json.dumps(params)}\n"
        (case / "recipe.yaml").write_text(recipe)


if __name__ == "__main__":
    main()
