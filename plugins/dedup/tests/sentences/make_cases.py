"""Writes the cases `tests/jobs/sentence_deduplicator*`: documents made up here of sentences that come again, and what datatrove's sentence
deduplication makes of them. The Bloom filters are so large that no false positive occurs.

    python3.11 -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install 'datatrove[processing]==0.10.1' spacy==3.8.18
    /tmp/datatrove/bin/python plugins/dedup/tests/sentences/make_cases.py

With a file of rows and parameters as JSON it prints what becomes of these rows instead:

    /tmp/datatrove/bin/python plugins/dedup/tests/sentences/make_cases.py rows.jsonl '{"n_sentences": 2}'
"""

from __future__ import annotations

import json
import pathlib
import random
import sys
import tempfile
from typing import Any

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig, SentenceDedupFilter, SentenceDedupSignature
from datatrove.utils.text import TextNormConfig

CASES = pathlib.Path(__file__).resolve().parents[4] / "tests/jobs"
WORDS = """river paper price market old new green never read wrote sold found street number table page water village school window the a of to and in was
for it's don't café naïve Zürich 3.14 1,000 42 2024 U.S. well-known “quoted” (aside) — über straße дом 日本語 e.g. Mr. email@example.org""".split()
PLAIN = TextNormConfig(lowercase=False, norm_whitespace=False, remove_punctuation=False, norm_unicode_diacritics=False, norm_numbers=False)


def deduplicated(rows: list[dict[str, Any]], params: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that datatrove leaves, with what it leaves of their texts."""
    names = ("n_sentences", "split_sentences")
    config = SentDedupConfig(
        **{name: params[name] for name in names if name in params},
        min_doc_words=0,
        min_num_sentences=0,
        norm_config=TextNormConfig() if params.get("simplify", True) else PLAIN,
    )
    with tempfile.TemporaryDirectory() as folder:
        signature = SentenceDedupSignature(folder, config=config)
        remover = SentenceDedupFilter(folder, config=config)
        documents = [Document(text=row["text"], id=str(n)) for n, row in enumerate(rows)]
        seen: set[int] = set()
        out = []
        for n, (row, document) in enumerate(zip(rows, documents, strict=True)):
            spans = sorted((sentence, key) for key, _, sentence in signature.get_hashes(document, n))
            again = []
            for sentence, key in spans:
                if key in seen:
                    again.append(sentence)
                seen.add(key)
            text = document.text
            if again:
                text, _ = remover.remove_dup_sentences(document, np.array(again))
            if text:
                out.append({**row, "text": text})
    return out


def documents(rng: random.Random) -> list[dict[str, Any]]:
    """Documents that share runs of sentences, which differ a little."""

    def sentence() -> str:
        words = [rng.choice(WORDS) for _ in range(rng.randrange(3, 9))]
        words[0] = words[0].capitalize()
        return " ".join(words) + rng.choice([".", ".", ".", "!", "?", "…", '."'])

    def changed(text: str) -> str:
        kind = rng.randrange(6)
        if kind == 0:
            return text.upper()
        if kind == 1:
            return text.replace(" ", "  ")
        return text.replace("é", "e") if kind == 2 else text

    common = [[sentence() for _ in range(rng.randrange(2, 7))] for _ in range(12)]
    rows = []
    for n in range(80):
        parts = []
        for _ in range(rng.randrange(1, 5)):
            run = rng.choice(common) if rng.random() < 0.6 else [sentence() for _ in range(rng.randrange(1, 5))]
            parts.extend(changed(text) for text in run)
        text = "".join(part + rng.choice([" ", " ", "\n", "\n\n"]) for part in parts)
        rows.append({"id": n, "text": text if rng.random() < 0.5 else text.strip()})
    return rows


def main() -> None:
    if len(sys.argv) > 1:
        rows = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
        for row in deduplicated(rows, json.loads(sys.argv[2])):
            print(json.dumps(row, ensure_ascii=False))
        return
    for suffix, seed, params in [
        ("", 1, {}),
        ("-pairs", 2, {"n_sentences": 2, "simplify": False}),
        ("-lines", 3, {"split_sentences": False, "n_sentences": 2}),
    ]:
        folder = CASES / f"sentence_deduplicator{suffix}"
        folder.mkdir(exist_ok=True)
        rows = documents(random.Random(seed))
        left = deduplicated(rows, params)
        for name, lines in (("input", rows), ("expected", left)):
            text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in lines)
            (folder / f"{name}.jsonl").write_text(text)
        (folder / "recipe.yaml").write_text(
            "dataset_path: input.jsonl\nexport_path: out.jsonl\nprocess:\n"
            f"  - sentence_deduplicator: {json.dumps(params)}\n"
            "  # datatrove drops what it leaves nothing of.\n"
            "  - text_length_filter: {min_len: 1}\n"
        )


if __name__ == "__main__":
    main()
