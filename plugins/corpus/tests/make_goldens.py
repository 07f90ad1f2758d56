"""Writes what datatrove makes of cases.jsonl: words.jsonl, and goldens/OPERATOR.jsonl with a line for each set of parameters. A line has for each text the
reason why it is dropped, null if it stays, and for mappers the texts that change.

    python3.11 -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install 'datatrove[processing]==0.10.1' spacy==3.8.18
    /tmp/datatrove/bin/python plugins/corpus/tests/make_goldens.py

With a directory the same for DIRECTORY/cases.jsonl of any size, with two sets of parameters; `DJHOST_TEST_CORPUS=DIRECTORY cargo test -p djhost-corpus` then compares with that.
"""

import json
import pathlib
import sys
import time

import datatrove.pipeline.filters.c4_filters as c4
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4BadWordsFilter,
    C4ParagraphFilter,
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter, get_filter_result
from datatrove.utils.text import split_into_parts
from datatrove.utils.word_tokenizers import load_word_tokenizer

OWN = pathlib.Path(__file__).resolve().parent
HERE = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OWN
# datatrove loads its lists from the network.
c4.cached_asset_path_or_download = lambda url, **_: OWN / "badwords" / url.rsplit("/", 1)[-1]

SETS: dict[str, tuple[type[BaseFilter], list[dict[str, object]]]] = {
    "gopher_repetition_filter": (
        GopherRepetitionFilter,
        [
            {},
            {"dup_line_frac": 0.05, "dup_para_frac": None, "dup_line_char_frac": 0, "dup_para_char_frac": None},
            {"dup_line_frac": None, "dup_line_char_frac": None, "top_n_grams": [[2, 0.1], [5, 0.2], [3, 0.05]], "dup_n_grams": [[3, 0.1], [2, 0.3]]},
            {"language": "cs", "top_n_grams": [], "dup_n_grams": [[4, 0.05]]},
        ],
    ),
    "gopher_quality_filter": (
        GopherQualityFilter,
        [
            {},
            {"min_doc_words": 3, "max_doc_words": 150, "max_avg_word_length": 5},
            {"min_doc_words": 1, "min_avg_word_length": None, "max_bullet_lines_ratio": 0.5, "max_symbol_word_ratio": 0.02, "min_stop_words": 5},
            {"min_doc_words": 5, "stop_words": ["river", "water", "people", "the", "the"], "max_non_alpha_words_ratio": 0.95, "language": "cs"},
        ],
    ),
    "fineweb_quality_filter": (
        FineWebQualityFilter,
        [
            {},
            {"line_punct_thr": 0.9, "line_punct_exclude_zero": True, "stop_chars": [".", "?!"], "char_duplicates_ratio": 0.2},
            {"short_line_thr": 0.2, "short_line_length": 40, "line_punct_thr": 0, "char_duplicates_ratio": 0.1, "new_line_ratio": 0.05},
            {"new_line_ratio": 0.03, "short_line_thr": 1, "char_duplicates_ratio": 1, "language": "cs"},
        ],
    ),
    "c4_quality_mapper": (
        C4QualityFilter,
        [
            {},
            {"filter_no_terminal_punct": False},
            {"min_num_sentences": -1, "remove_citations": False, "filter_javascript": False, "filter_policy": False, "max_word_length": 12},
            {"split_paragraph": False, "min_num_sentences": 3, "filter_lorem_ipsum": False, "filter_curly_bracket": False},
            {"min_num_sentences": 1, "min_words_per_line": -1, "max_word_length": -1, "filter_no_terminal_punct": False, "language": "cs"},
        ],
    ),
    "c4_paragraph_filter": (C4ParagraphFilter, [{}]),
    "c4_badwords_filter": (C4BadWordsFilter, [{}, {"default_language": "zh"}]),
}


def judge(texts: list[str], make: type[BaseFilter], params: dict[str, object]) -> dict[str, object]:
    """What the filter makes of the texts with these parameters."""
    op = make(**{key: tuple(value) if key == "stop_chars" else value for key, value in params.items()})
    reasons: list[str | None] = []
    changed: dict[str, str] = {}
    for row, text in enumerate(texts):
        document = Document(text=text, id=str(row))
        try:
            keep, reason = get_filter_result(op.filter(document))
        except ZeroDivisionError:  # a text without words, where datatrove ends
            keep, reason = True, "?"
        reasons.append(None if keep and reason != "?" else reason)
        if keep and document.text != text:
            changed[str(row)] = document.text
    files = {"files": {"badwords_dir": "badwords"}} if make is C4BadWordsFilter else {}
    return {"params": params, **files, "reasons": reasons, **({"texts": changed} if changed else {})}


def main() -> None:
    texts = [json.loads(line)["text"] for line in (HERE / "cases.jsonl").open()]
    (HERE / "goldens").mkdir(exist_ok=True)
    tokenizer = load_word_tokenizer("en")
    with (HERE / "words.jsonl").open("w") as out:
        for text in texts[: 300 if HERE == OWN else len(texts)]:
            ends = [end for _, end in tokenizer.span_tokenize(text)]
            print(json.dumps([text, tokenizer.word_tokenize(text), ends], ensure_ascii=False), file=out)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    for name, (make, sets) in SETS.items():
        with (HERE / "goldens" / f"{name}.jsonl").open("w") as out:
            for params in sets if HERE == OWN else sets[:2]:
                split_into_parts.cache_clear()
                start = time.process_time()
                print(json.dumps(judge(texts, make, params), ensure_ascii=False), file=out)
                print(name, params, f"{megabytes / (time.process_time() - start):.2f} MB/s")


if __name__ == "__main__":
    main()
