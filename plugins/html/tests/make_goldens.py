"""Writes what trafilatura and resiliparse make of pages.jsonl: goldens/NAME.jsonl with a line for each page, null where there is no text.

    python3.11 -m venv /tmp/trafilatura && /tmp/trafilatura/bin/pip install trafilatura==2.3.1 lxml==6.1.3 lxml_html_clean resiliparse==2.0.1
    /tmp/trafilatura/bin/python plugins/html/tests/make_goldens.py

With a directory the same for DIRECTORY/pages.jsonl of any size; `DJHOST_TEST_HTML=DIRECTORY cargo test -p djhost-html` then compares with that.
"""

import json
import logging
import pathlib
import sys

from resiliparse.extract.html2text import extract_plain_text
from trafilatura import extract

HERE = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent

# By the parameters of djhost's operator, the arguments of trafilatura.
SETS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "balanced": ({}, {}),
    "precision": ({"favor": "precision"}, {"favor_precision": True}),
    "recall": ({"favor": "recall"}, {"favor_recall": True}),
    "no_tables": ({"include_tables": False}, {"include_tables": False}),
    "no_comments": ({"include_comments": False}, {"include_comments": False}),
    "markdown": ({"output_format": "markdown"}, {"output_format": "markdown"}),
    "markdown_links": (
        {"output_format": "markdown", "include_links": True, "favor": "recall"},
        {"output_format": "markdown", "include_links": True, "favor_recall": True},
    ),
    "formatting": ({"include_formatting": True, "favor": "precision"}, {"include_formatting": True, "favor_precision": True}),
    "links": ({"include_links": True}, {"include_links": True}),
}


def write(name: str, params: dict[str, object], texts: list[str | None]) -> None:
    with (HERE / "goldens" / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        file.write(json.dumps(params) + "\n")
        for text in texts:
            file.write(json.dumps(text, ensure_ascii=False) + "\n")


def main() -> None:
    logging.disable(logging.CRITICAL)
    pages = [json.loads(line)["html"] for line in (HERE / "pages.jsonl").read_text(encoding="utf-8").splitlines()]
    (HERE / "goldens").mkdir(exist_ok=True)
    for name, (params, arguments) in SETS.items():
        write(name, params, [extract(page, **arguments) if page.strip() else None for page in pages])
    write("plain", {"method": "plain"}, [extract_plain_text(page, main_content=True) for page in pages])


if __name__ == "__main__":
    main()
