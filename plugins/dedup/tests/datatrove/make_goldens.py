"""Writes cases.jsonl, documents made up here with planted near-duplicates, and goldens.jsonl: for some settings of datatrove's MinHash which documents stay
(1) and which are duplicates of an earlier one (0).

    python3.11 -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install 'datatrove[processing]==0.10.1' spacy==3.8.18
    /tmp/datatrove/bin/python plugins/dedup/tests/datatrove/make_goldens.py

With a directory: only the goldens, of DIRECTORY/cases.jsonl; `DJHOST_TEST_MINHASH=DIRECTORY cargo test -p djhost-dedup --test datatrove` compares with
them.
"""

import json
import pathlib
import random
import sys

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig

HERE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
HERE = HERE if HERE.is_dir() else HERE.parent
WORDS = """river paper price market old new green never read wrote sold found street number table page water village school window the a of to and in was for
it's don't café naïve Zürich 3.14 1,000 42 2024 U.S. well-known “quoted” (aside) — über straße дом 日本語 e.g. email@example.org""".split()
SETTINGS = [
    ({"hash_fc": "sha1"}, {}),
    ({"hash_fc": "xxhash"}, {}),
    ({"hash_fc": "sha1"}, {"n_grams": 3, "num_buckets": 5, "hashes_per_bucket": 4}),
]


def change(words: list[str], rng: random.Random) -> list[str]:
    """The words with some changed, of case, punctuation and numbers too."""
    share = rng.choice([0.0, 0.01, 0.02, 0.04, 0.08])
    changed = [rng.choice(WORDS) if rng.random() < share else word for word in words]
    kind = rng.randrange(4)
    if kind == 0:
        changed = [word.upper() for word in changed]
    elif kind == 1:
        changed = [word + rng.choice([",", ".", "", "", ""]) for word in changed]
    elif kind == 2:
        changed = [str(rng.randrange(9999)) if word.isdigit() else word for word in changed]
    return changed


def make_cases() -> None:
    rng = random.Random(14)
    texts = []
    for _ in range(150):
        words = rng.choices(WORDS, k=rng.choice([3, 4, 5, 8, 30, 60, 120]))
        texts += [rng.choice([" ", " ", "\n", "  "]).join(made) for made in [words, *(change(words, rng) for _ in range(rng.randint(0, 3)))]]
    rng.shuffle(texts)
    (HERE / "cases.jsonl").write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts))


def keep(texts: list[str], step: MinhashDedupSignature) -> list[int]:
    """Whether a text is the first of its cluster."""
    parent = list(range(len(texts)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    first: dict[tuple[int, ...], int] = {}
    for number, text in enumerate(texts):
        shingles = step.get_shingles(text)
        for bucket, signature in enumerate(step.get_signature(shingles) if shingles.size else []):
            other = first.setdefault((bucket, *signature), number)
            low, high = sorted((root(other), root(number)))
            parent[high] = low
    return [int(root(number) == number) for number in range(len(texts))]


def main() -> None:
    if len(sys.argv) == 1:
        make_cases()
    texts = [json.loads(line)["text"] for line in (HERE / "cases.jsonl").open()]
    with (HERE / "goldens.jsonl").open("w") as out:
        for hashing, settings in SETTINGS:
            config = MinhashConfig(hash_config=HashConfig(precision=64, **hashing), **settings)
            kept = keep(texts, MinhashDedupSignature("/tmp/not-used", config))
            bands = {"num_bands": config.num_buckets, "num_rows_per_band": config.hashes_per_bucket, "window_size": config.n_grams}
            params = {"hash_function": f"{hashing['hash_fc']}_64", **bands}
            print(json.dumps({"params": params, "keep": kept}), file=out)
            print(params, len(texts) - sum(kept), "of", len(texts), "are duplicates")


if __name__ == "__main__":
    main()
