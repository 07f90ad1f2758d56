"""Compares html_extract_mapper with trafilatura and resiliparse on pages of any folder: F1 of the tokens of each page, and the speed.

    python3.11 -m venv /tmp/trafilatura && /tmp/trafilatura/bin/pip install trafilatura==2.3.1 lxml==6.1.3 lxml_html_clean resiliparse==2.0.1
    /tmp/trafilatura/bin/python plugins/html/tests/compare.py target/release/djhost DIRECTORY [--pages 1400] [--plugins DIR] [--sets balanced,plain]

The pages are files that end in .html, .htm or .xhtml, the same number from each folder below DIRECTORY, so that no generator of pages outweighs the
others. Speed is per second of CPU: of djhost the whole run less the time to read and write the pages, of Python the functions alone.
"""

import argparse
import collections
import json
import logging
import pathlib
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable

from make_goldens import SETS
from resiliparse.extract.html2text import extract_plain_text
from trafilatura import extract
from trafilatura.external import jt_stoplist_init

PLAIN = "plain"


def read_pages(folder: pathlib.Path, number: int) -> list[str]:
    groups: dict[pathlib.Path, list[pathlib.Path]] = collections.defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".html", ".htm", ".xhtml") and path.is_file() and 600 < path.stat().st_size < 400_000:
            groups[path.parent].append(path)
    rng = random.Random(7)
    for paths in groups.values():
        rng.shuffle(paths)
    chosen: list[pathlib.Path] = []
    while len(chosen) < number and any(groups.values()):
        chosen += [paths.pop() for paths in groups.values() if paths][: number - len(chosen)]
    pages = []
    for path in chosen:
        data = path.read_bytes()
        try:
            pages.append(data.decode("utf-8"))
        except UnicodeDecodeError:
            pages.append(data.decode("latin-1"))
    return pages


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(program: str, options: list[str], scratch: pathlib.Path, process: str) -> tuple[float, pathlib.Path]:
    """The CPU seconds of the quickest of three runs, and the export."""
    best = float("inf")
    export = scratch / "export" / "texts.jsonl"
    recipe = scratch / "recipe.yaml"
    for attempt in range(4):
        recipe.write_text(
            f"dataset_path: {scratch}/pages.jsonl\nexport_path: {export}\nwork_dir: {scratch}/work{attempt}\nnp: 1\nprocess:\n  - {process}\n"
        )
        before = children_seconds()
        subprocess.run([program, "run", str(recipe), *options], check=True, capture_output=True)
        # The first run may compile the pack.
        if attempt > 0:
            best = min(best, children_seconds() - before)
    return best, export


def f1(one: str, other: str) -> float:
    a, b = collections.Counter(one.split()), collections.Counter(other.split())
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="djhost")
    parser.add_argument("folder", type=pathlib.Path, help="a folder with pages")
    parser.add_argument("--pages", type=int, default=1400, help="how many to compare (default: 1400)")
    parser.add_argument("--plugins", help="a folder with the pack, if the program has none or another one")
    parser.add_argument("--sets", default=",".join([*SETS, PLAIN]), help="names of parameters of make_goldens.py, and plain")
    arguments = parser.parse_args()
    options = ["--plugins", arguments.plugins, "--allow-override", "html_extract_mapper"] if arguments.plugins else []
    logging.disable(logging.CRITICAL)
    jt_stoplist_init()
    pages = read_pages(arguments.folder, arguments.pages)
    megabytes = sum(len(page.encode()) for page in pages) / 1e6
    print(f"{len(pages)} pages, {megabytes:.1f} MB")
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        with (scratch / "pages.jsonl").open("w", encoding="utf-8") as file:
            for number, page in enumerate(pages):
                file.write(json.dumps({"n": number, "html": page}, ensure_ascii=False) + "\n")
        reading, _ = run(arguments.program, [], scratch, "text_length_filter: {text_key: html, min_len: 0}")
        print(f"reading and writing: {reading:.2f} CPU s")
        for name in arguments.sets.split(","):
            params, keywords = ({"method": PLAIN}, {}) if name == PLAIN else SETS[name]
            reference: Callable[[str], str | None] = (
                (lambda page: extract_plain_text(page, main_content=True)) if name == PLAIN else (lambda page: extract(page, **keywords))
            )
            seconds, export = run(arguments.program, options, scratch, f"html_extract_mapper: {json.dumps(params)}")
            texts = {row["n"]: row["text"] for row in map(json.loads, export.read_text(encoding="utf-8").splitlines())}
            start = time.process_time()
            expected = [reference(page) or "" for page in pages]
            there = time.process_time() - start
            scores = sorted(f1(texts.get(number, ""), text) for number, text in enumerate(expected))
            same = sum(texts.get(number) == text for number, text in enumerate(expected))
            here = max(seconds - reading, 0.001)
            print(
                f"{name}: F1 mean {sum(scores) / len(scores):.4f}, tenth percentile {scores[len(scores) // 10]:.4f}, same {same / len(pages):.1%};"
                f" {megabytes / here:.1f} MB/s, there {megabytes / there:.1f}: {there / here:.1f} times as fast",
                flush=True,
            )


if __name__ == "__main__":
    main()
