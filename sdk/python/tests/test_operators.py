"""`python -m unittest discover -s tests` in the directory of the SDK. Needs neither WebAssembly nor componentize-py."""

import json
import random
import sys
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "examples")]

from alnum_filter import python_alnum_filter
from fluency_filter import python_fluency_filter
from histogram_mapper import python_histogram_mapper
from djhost_sdk import (
    Blob,
    Common,
    Field,
    InvalidParams,
    KenLM,
    Param,
    Reject,
    RowId,
    Texts,
    Tokenizer,
    Vector,
    deduplicator,
    expander,
    filter,
    mapper,
    models,
    selector,
)
from djhost_sdk.errors import Failed
from djhost_sdk.testing import run
from prefix_deduplicator import python_prefix_deduplicator
from split_mapper import python_split_mapper


def texts(*values):
    return [{"text": value} for value in values]


class Filters(unittest.TestCase):
    def test_a_range_of_a_stat_that_rows_may_have_already(self):
        rows = [*texts("abc", "!!!"), {"text": "!!!", "__dj__stats__": {"python_alnum_ratio": 0.9}}]
        kept = run(python_alnum_filter, rows, min_ratio=0.5)
        self.assertEqual([row["__dj__stats__"]["python_alnum_ratio"] for row in kept], [1.0, 0.9])
        self.assertEqual(run(python_alnum_filter, texts("a!"), min_ratio=0.5, min_closed_interval=False), [])
        self.assertEqual(len(run(python_alnum_filter, texts("a!", "ab"), min_ratio=0.6, reversed_range=True)), 2)

    def test_several_stats_and_a_rule(self):
        @filter(stats={"query_len": int, "response_len": int}, keep=lambda query, response, *, factor: response > factor * query)
        def chatty_filter(query: Annotated[str, Field("meta.query")], response: str | None, *, factor: float = 1.0) -> tuple:
            """Keeps answers that are longer than their question."""
            return len(query), len(response or "")

        rows = [{"meta": {"query": "a"}, "response": "bb"}, {"meta": {"query": "aa"}, "response": "b"}, {"meta": {"query": "a"}}]
        self.assertEqual([row["response"] for row in run(chatty_filter, rows)], ["bb"])
        self.assertEqual(run(chatty_filter, rows, factor=2.0), [])

    def test_yes_or_no_over_columns(self):
        @filter(columns=True)
        def short_filter(text: str, *, max_len: int = 2) -> bool:
            """Keeps short texts."""
            assert isinstance(text, Texts)
            return [end - start <= max_len for start, end in zip(text.offsets, text.offsets[1:], strict=False)]

        self.assertEqual(run(short_filter, texts("ab", "abc")), texts("ab"))

    def test_random_choices_hang_on_the_row(self):
        @filter
        def sample_filter(text: str, row: RowId, *, common: Common) -> bool:
            """Keeps a part of the rows."""
            return random.Random(common.seed ^ row).random() < 0.5

        rows = texts(*"abcdefghij")
        self.assertEqual(run(sample_filter, rows), run(sample_filter, rows))
        self.assertNotEqual(run(sample_filter, rows), run(sample_filter, rows, seed=7))


class Bytes(unittest.TestCase):
    def test_bytes_become_vectors(self):
        rows = [{"file": bytes([0, 64, 128, 255])}, {"file": None}]
        made = run(python_histogram_mapper, rows)
        self.assertEqual([row.get("histogram") for row in made], [[0.25] * 4, None])
        signature = python_histogram_mapper.create("{}").signature()
        self.assertEqual([(field.type, field.required) for field in signature.reads], [("bytes", False)])
        self.assertEqual(signature.writes, [("histogram", Vector(4))])

    def test_every_type_goes_both_ways(self):
        @mapper(writes={"w.ints": list[int], "w.blobs": list[Blob], "w.v": Annotated[list[float], Vector(2)]})
        def copy_mapper(
            ints: list[int] | None, image_bytes: list[Blob] | None, v: Annotated[list[float], Vector(2)] | None
        ) -> dict:
            """Copies."""
            return {"w.ints": ints, "w.blobs": image_bytes, "w.v": v}

        rows = [{"ints": [1, 1 << 62], "pictures": [b"a", b""], "v": [0.5, 1.0]}, {"ints": [], "pictures": [], "v": None}]
        made = run(copy_mapper, rows, image_bytes_key="pictures")
        self.assertEqual(made[0]["w"], {"ints": [1, 1 << 62], "blobs": [b"a", b""], "v": [0.5, 1.0]})
        self.assertEqual(made[1]["w"], {"ints": [], "blobs": [], "v": None})

    def test_a_vector_has_its_width(self):
        @mapper(writes={"v": Vector(2)})
        def wide_mapper(text: str) -> dict:
            """Makes too much."""
            return {"v": [1.0, 2.0, 3.0]}

        with self.assertRaisesRegex(Failed, "3 numbers where 2 are declared"):
            run(wide_mapper, texts("a"))
        with self.assertRaisesRegex(TypeError, "1 to 65536"):

            @mapper(writes={"v": Vector(0)})
            def empty_mapper(text: str) -> dict:
                """Makes nothing."""


class Lent(unittest.TestCase):
    def test_a_double_takes_the_place_of_a_model(self):
        class Lengths(KenLM):
            def score(self, texts, *, begin=True, end=True):
                return [-float(len(text)) for text in texts]

        kept = run(python_fluency_filter, texts("ab", "abc"), model=Lengths())
        self.assertEqual(kept, [{"text": "ab", "__dj__stats__": {"python_log_probability": -2.0}}])
        with self.assertRaisesRegex(InvalidParams, "`model`: give a double, a `KenLM` of your own"):
            run(python_fluency_filter, texts("ab"), model="en.arpa")
        with self.assertRaisesRegex(InvalidParams, "`model` is missing"):
            run(python_fluency_filter, texts("ab"))

    def test_the_schema_says_which_model(self):
        @filter
        def brief_filter(text: str, *, tokenizer: Tokenizer | None = None) -> bool:
            """Keeps texts of few tokens."""
            return tokenizer is None or tokenizer.count(text) < 3

        asked = python_fluency_filter.schema["properties"]["model"]
        self.assertEqual((asked["format"], asked["x-model"]), ("model", {"kind": "kenlm"}))
        asked = brief_filter.schema["properties"]["tokenizer"]
        self.assertEqual(asked["x-model"], {"kind": "tokenizer", "optional": True})
        self.assertEqual(len(run(brief_filter, texts("a b c d"))), 1)

    def test_calls_are_cut_and_what_fails_is_told(self):
        class Host:
            """Stands for the bindings: a tokenizer of blanks that fails on `!`."""

            @dataclass
            class Texts:
                offsets: list
                data: bytes

            @dataclass
            class Failure:
                row: int
                reason: str

            def __init__(self):
                self.calls = []

            def count(self, given, special):
                found = list(Texts(given.offsets, given.data))
                self.calls.append(len(found))
                failed = [self.Failure(row, "no") for row, text in enumerate(found) if text == "!"]
                answer = type("Counts", (), {})()
                answer.values, answer.failed = [len(text.split()) for text in found], failed
                return answer

        host = Host()
        models.service = Host
        try:
            tokenizer = Tokenizer(host)
            self.assertEqual(tokenizer.count("a b"), 2)
            with self.assertRaisesRegex(Reject, "no"):
                tokenizer.count("!")
            host.calls = []
            many = ["x"] * (models.MOST_TEXTS + 1) + ["y" * models.MOST_BYTES, "!"]
            counts = tokenizer.count(many)
            self.assertEqual(host.calls, [models.MOST_TEXTS, 1, 1, 1])
            self.assertEqual(counts[:-1], [1] * (len(many) - 1))
            self.assertIsInstance(counts[-1], Reject)
        finally:
            models.service = None


class Mappers(unittest.TestCase):
    def test_the_text_or_several_fields(self):
        @mapper
        def upper_mapper(text: str) -> str | None:
            """Shouts."""
            return None if text == "stay" else text.upper()

        self.assertEqual(run(upper_mapper, texts("äöü", "stay", "日本")), texts("ÄÖÜ", "stay", "日本"))

        @mapper(writes={"meta.title": str, "words": int, "tags": list[str], "any": Any, "score": float, "done": bool})
        def title_mapper(text: str) -> dict:
            """Computes fields."""
            return {"meta.title": text[:2], "words": 1, "tags": [text, "é"], "any": {"deep": [1, None]}, "score": 0.5, "done": True}

        made = {"text": "abc", "meta": {"title": "ab"}, "words": 1, "tags": ["abc", "é"], "any": {"deep": [1, None]}, "score": 0.5, "done": True}
        self.assertEqual(run(title_mapper, texts("abc")), [made])

    def test_rows_of_rows(self):
        self.assertEqual(run(python_split_mapper, texts("a\nb\n\n \nc", "\n", "d")), texts("a\nb", "c", "d"))

        @expander(writes={"text": str, "part": int})
        def numbered_mapper(text: str) -> Iterator[dict]:
            """Makes a row of each word."""
            return ({"text": word, "part": i} for i, word in enumerate(text.split()))

        self.assertEqual(run(numbered_mapper, texts("a b", "")), [{"text": "a", "part": 0}, {"text": "b", "part": 1}])

    def test_json_and_lists_come_as_they_are(self):
        @mapper(writes={"n": int})
        def count_mapper(meta: dict, images: list[str] | None) -> dict:
            """Counts."""
            return {"n": len(meta["list"]) + len(images or [])}

        rows = [{"meta": {"list": [1, 2]}, "images": ["a.png"]}, {"meta": {"list": []}}]
        self.assertEqual([row["n"] for row in run(count_mapper, rows)], [3, 0])

    def test_rejections_and_failures_name_the_row(self):
        @mapper
        def picky_mapper(text: str) -> str:
            """Wants good rows."""
            if text == "bad":
                raise Reject("no")
            return str(1 / len(text))

        with self.assertRaisesRegex(ValueError, "row 1 is rejected: no"):
            run(picky_mapper, texts("good", "bad"))
        with self.assertRaisesRegex(Failed, r"ZeroDivisionError: division by zero \(test_operators.py:\d+\)"):
            run(picky_mapper, texts(""))


class GlobalOps(unittest.TestCase):
    def test_fingerprints(self):
        self.assertEqual(run(python_prefix_deduplicator, texts("😀a", "😀b", "😀ac"), length=2), texts("😀a", "😀b"))

        @deduplicator(per_row=2, width=8)
        def bands_deduplicator(text: str) -> list[int] | None:
            """Compares first and second letter."""
            return [ord(text[0]), ord(text[1])] if text else None

        self.assertEqual(run(bands_deduplicator, texts("ab", "xb", "ba", "", "")), texts("ab", "ba", "", ""))

    def test_a_choice_among_all_keys(self):
        @selector(choose=lambda keys, *, n: [key >= sorted(keys)[-n] for key in keys])
        def longest_selector(text: str, *, n: int = 1) -> int:
            """Keeps the longest."""
            return len(text)

        self.assertEqual(run(longest_selector, texts("a", "abc", "ab"), n=2), texts("abc", "ab"))


@dataclass
class Words:
    """Parameters of `words_filter`."""

    words: Annotated[list[str], Param("Words to look for.")]
    ratio: Annotated[float, Param(max=1)] = 0.5
    mode: Literal["any", "all"] = "any"
    limits: dict[str, int] | None = None
    found: set = field(init=False)

    def __post_init__(self):
        if not self.words:
            raise ValueError("`words` must not be empty")
        self.found = set(self.words)


class Parameters(unittest.TestCase):
    def setUp(self):
        @filter
        def words_filter(text: str, *, p: Words) -> bool:
            """Keeps texts with the words."""
            return bool(p.found & set(text.split()))

        self.op = words_filter

    def test_a_dataclass_has_what_it_prepares(self):
        self.assertEqual(run(self.op, texts("a b", "c"), words=["b"]), texts("a b"))
        schema = self.op.schema
        self.assertEqual(schema["required"], ["words"])
        self.assertEqual(schema["properties"]["words"], {"type": "array", "items": {"type": "string"}, "description": "Words to look for."})
        self.assertEqual(schema["properties"]["ratio"], {"type": "number", "maximum": 1, "default": 0.5})
        self.assertEqual(list(schema["properties"]), ["words", "ratio", "mode", "limits"])

    def test_wrong_ones_are_named(self):
        for given, message in [
            ({}, "`words` is missing"),
            ({"words": []}, "`words` must not be empty"),
            ({"words": [1]}, r"`words\[0\]`: expected a string, not 1"),
            ({"words": ["a"], "ratio": "high"}, '`ratio`: expected a number, not "high"'),
            ({"words": ["a"], "ratio": 2}, "`ratio`: expected at most 1"),
            ({"words": ["a"], "mode": "some"}, "`mode`: expected `any` or `all`"),
            ({"words": ["a"], "limits": {"x": 1.5}}, "`limits.x`: expected a whole number"),
            ({"words": ["a"], "word": 1}, "no parameter `word`: valid are `words`, `ratio`, `mode`, `limits`"),
        ]:
            with self.assertRaisesRegex(InvalidParams, message):
                self.op.create(json.dumps(given))

    def test_mistakes_in_a_definition_are_found_at_once(self):
        def no_hint(text, *, n: int = 1) -> bool:
            """Has no hint."""

        def no_doc(text: str) -> bool: ...

        def odd_type(text: complex) -> bool:
            """Has a field of no type."""

        for function, message in [(no_hint, "needs a type hint"), (no_doc, "needs a docstring"), (odd_type, "valid are str")]:
            with self.assertRaisesRegex((TypeError, ValueError), message):
                filter(function)
        with self.assertRaisesRegex(TypeError, "give `range`"):
            filter(stat="n")(lambda_with_doc)


def lambda_with_doc(text: str) -> int:
    """Gives a number."""
    return 1


if __name__ == "__main__":
    unittest.main()
