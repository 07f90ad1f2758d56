"""Writes what datatrove makes of cases.jsonl: ../../words/tests/words.jsonl, and goldens/OPERATOR.jsonl with a line for each set of parameters. A line has for each text the
reason why it is dropped, null if it stays, and for mappers a digest of each text that changes.

    python3.11 -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install 'datatrove[processing]==0.10.1' spacy==3.8.18
    /tmp/datatrove/bin/python plugins/corpus/tests/make_goldens.py

With a directory the same for DIRECTORY/cases.jsonl of any size, with two sets of parameters; `DJHOST_TEST_CORPUS=DIRECTORY cargo test -p djhost-corpus` then compares with that.
"""

import json
import pathlib
import sys

import datatrove.pipeline.filters.c4_filters as c4
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4BadWordsFilter,
    C4ParagraphFilter,
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    URLFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter, get_filter_result
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
    "url_filter": (URLFilter, [{}, {"soft_word_threshold": 1}]),
}
# What djhost reads from files.
FILES: dict[type[BaseFilter], dict[str, str]] = {
    C4BadWordsFilter: {"badwords_dir": "badwords"},
    URLFilter: {key: f"urls/{key}" for key in ("extra_domains", "extra_urls", "banned_words", "banned_subwords", "soft_banned_words")},
}


def digest(text: str) -> str:
    """FNV-1a of the text, and its length in bytes."""
    found = 0xCBF29CE484222325
    for byte in text.encode():
        found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}:{len(text.encode())}"


class Run:
    """A filter with parameters, and what it makes of texts."""

    def __init__(self, make: type[BaseFilter], params: dict[str, object]) -> None:
        self.params = params
        self.files = FILES.get(make, {})
        # Lists by file where djhost has them.
        lists = {key: (OWN / name).open().readlines() for key, name in self.files.items() if make is URLFilter}
        given = {key: tuple(value) if key == "stop_chars" else value for key, value in params.items()}
        self.op = make(**given, **lists, **({"use_integrated_lists": False} if lists else {}))
        self.reasons: list[str | None] = []
        self.changed: dict[str, str] = {}

    def judge(self, text: str, url: str) -> None:
        document = Document(text=text, id="", metadata={"url": url})
        try:
            keep, reason = get_filter_result(self.op.filter(document))
        except ZeroDivisionError:  # a text without words, where datatrove ends
            keep, reason = False, "?"
        if keep and document.text != text:
            self.changed[str(len(self.reasons))] = digest(document.text)
        self.reasons.append(None if keep else reason)

    def golden(self) -> str:
        files = {"files": self.files} if self.files else {}
        texts = {"texts": self.changed} if self.changed else {}
        return json.dumps({"params": self.params, **files, "reasons": self.reasons, **texts}, ensure_ascii=False)


def main() -> None:
    rows = [json.loads(line) for line in (HERE / "cases.jsonl").open()]
    (HERE / "goldens").mkdir(exist_ok=True)
    own = HERE == OWN
    tokenizer = load_word_tokenizer("en")
    with (OWN.parent.parent / "words" / "tests" if own else HERE).joinpath("words.jsonl").open("w") as out:
        for row in rows[: 300 if own else 2000]:
            ends = [end for _, end in tokenizer.span_tokenize(row["text"])]
            print(json.dumps([row["text"], tokenizer.word_tokenize(row["text"]), ends], ensure_ascii=False), file=out)
    runs = {name: [Run(make, params) for params in (sets if own else sets[:2])] for name, (make, sets) in SETS.items()}
    # Row by row: datatrove then finds the words of a text once for all filters.
    for row in rows:
        for run in [run for found in runs.values() for run in found]:
            run.judge(row["text"], row["url"])
    for name, found in runs.items():
        (HERE / "goldens" / f"{name}.jsonl").write_text("".join(f"{run.golden()}\n" for run in found))


if __name__ == "__main__":
    main()
