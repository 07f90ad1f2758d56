"""Writes what DCLM's own functions make of cases.jsonl: goldens/line_filter_mapper.jsonl and goldens/word_removal_ratio_filter.jsonl, as
make_goldens.py does. Needs the package `fasttext-numpy2-wheel`, and a checkout of github.com/mlfoundations/dclm, of which only the functions below are run.

    /tmp/datatrove/bin/python plugins/corpus/tests/make_dclm_goldens.py DCLM [DIRECTORY]
"""

import ast
import json
import pathlib
import re
import sys
import time
from collections.abc import Callable

import fasttext
from make_goldens import digest

Page = dict[str, object]
HERE = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).resolve().parent
MAPPERS = pathlib.Path(sys.argv[1]) / "baselines" / "mappers"


def functions(path: pathlib.Path, names: set[str], scope: dict[str, object]) -> None:
    """Puts functions of a file into `scope`."""
    tree = ast.parse(path.read_text())
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    assert {node.name for node in found} == names, path
    for node in found:
        node.decorator_list = []
    module = ast.fix_missing_locations(ast.Module([ast.ImportFrom("typing", [ast.alias("*")], 0), *found], []))
    exec(compile(module, str(path), "exec"), scope)  # noqa: S102


DCLM: dict[str, Callable[..., object]] = {"re": re, "fasttext": fasttext, "CONTENT": "text"}  # type: ignore[dict-item]
functions(MAPPERS / "core_utils.py", {"split_words"}, DCLM)
functions(MAPPERS / "filters" / "content_filters.py", {"word_removal_ratio_filter"}, DCLM)
MODIFIERS = {"uppercase_ratio_line_modifier", "numeric_ratio_line_modifier", "counter_line_modifier", "line_length_modifier", "substring_line_modifier"}
functions(MAPPERS / "modifiers.py", MODIFIERS, DCLM)

BUTTONS = [("items in cart", "any"), ("Read more...", "suffix"), ("Sign-in", "prefix")]
DEFAULT = [{"banlist": [text], "location": place, "max_length": 10, "remove_substring_only": True} for text, place in BUTTONS]
OTHER = [
    {"banlist": ["the [a-z]+", "Water"], "max_length": 12, "case_sensitive": True},
    {"banlist": ["of", "with"], "remove_substring_only": True},
    {"banlist": ["[a-z0-9]+"], "location": "prefix", "remove_substring_only": True, "max_length": 4},
    {"banlist": ["[.!]"], "location": "suffix", "remove_substring_only": True},
]
SETS: list[dict[str, object]] = [
    {},
    {"max_uppercase_ratio": 0.05, "max_numeric_ratio": 0.02, "min_words": 4, "max_words": 20, "substrings": []},
    {"max_uppercase_ratio": None, "max_numeric_ratio": None, "remove_counters": False, "min_words": 0, "substrings": OTHER},
]


def rules(params: dict[str, object]) -> list[Callable[[Page], list[Page]]]:
    """DCLM's functions that the operator stands for with these parameters."""
    have = {"max_uppercase_ratio": 0.5, "max_numeric_ratio": 0.999999, "remove_counters": True, "min_words": 2, "max_words": None, "substrings": DEFAULT}
    have |= params
    found: list[Callable[[Page], list[Page]]] = []
    for name in ("uppercase", "numeric"):
        if have[f"max_{name}_ratio"] is not None:
            found.append(lambda page, name=name: DCLM[f"{name}_ratio_line_modifier"](page, max_ratio=have[f"max_{name}_ratio"]))  # type: ignore[misc]
    if have["remove_counters"]:
        found.append(DCLM["counter_line_modifier"]())  # type: ignore[arg-type]
    if have["min_words"] or have["max_words"]:
        most = have["max_words"] or float("inf")
        found.append(lambda page: DCLM["line_length_modifier"](page, min_length=have["min_words"], max_length=most))  # type: ignore[return-value]
    return found + [DCLM["substring_line_modifier"](**rule) for rule in have["substrings"]]  # type: ignore[attr-defined]


def main() -> None:
    texts = [json.loads(line)["text"] for line in (HERE / "cases.jsonl").open()]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    with (HERE / "goldens" / "line_filter_mapper.jsonl").open("w") as out:
        for params in SETS:
            start = time.process_time()
            chain = rules(params)
            reasons: list[str | None] = []
            changed: dict[str, str] = {}
            for row, text in enumerate(texts):
                pages: list[Page] = [{"text": text}]
                for rule in chain:
                    pages = [made for page in pages for made in rule(page)]
                reasons.append(None if pages else "empty")
                if pages and pages[0]["text"] != text:
                    changed[str(row)] = digest(str(pages[0]["text"]))
            print(json.dumps({"params": params, "reasons": reasons, "texts": changed}, ensure_ascii=False), file=out)
            print("line_filter_mapper", params, f"{megabytes / (time.process_time() - start):.2f} MB/s")
    with (HERE / "goldens" / "word_removal_ratio_filter.jsonl").open("w") as out:
        for params in ({}, {"max_removed_ratio": 0.5}):
            # Some counts are as they are, some greater, some smaller, some 0.
            counts = [len(DCLM["split_words"](text, ignore_punctuation=True)) * (row % 5) // 3 for row, text in enumerate(texts)]  # type: ignore[arg-type]
            reasons = []
            for text, count in zip(texts, counts, strict=True):
                kept = DCLM["word_removal_ratio_filter"]({"text": text, "previous_word_count": count}, "previous_word_count", **params)
                reasons.append(None if kept else "words_removed" if count else "no_words")
            fields = {"previous_word_count": counts}
            print(json.dumps({"params": params, "fields": fields, "reasons": reasons}, ensure_ascii=False), file=out)


if __name__ == "__main__":
    main()
