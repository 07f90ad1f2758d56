"""Compares the rows that djhost makes of a WARC file with what warcio and fastwarc read, record by record.

    python compare_warc.py pages.warc.gz [--djhost target/release/djhost] [--time]

Needs the packages `warcio` and `fastwarc`. All of their response records of HTML, with the codings of HTTP undone, must be rows
of djhost in the same order, with the same fields; the text must be what Python decodes from the bytes in the charset of the row.
With `--time` the CPU time of each of the three to read the file is shown, too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any, Iterator, NamedTuple

# What Python calls the charsets that browsers read as a larger one of the same family.
CODECS = {"shift_jis": "cp932", "euc-kr": "cp949", "big5": "big5hkscs", "iso-8859-8-i": "iso-8859-8", "x-sjis": "cp932"}


class Response(NamedTuple):
    """What a reader finds of a response."""

    url: str | None
    date: str | None
    content_type: str | None
    status: int | None
    record_id: str | None
    digest: str | None
    body: bytes


def with_warcio(path: Path) -> Iterator[Response]:
    """The HTML responses that warcio reads."""
    from warcio.archiveiterator import ArchiveIterator

    with open(path, "rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type != "response" or record.http_headers is None:
                continue
            content_type = record.http_headers.get_header("Content-Type")
            if not _is_html(content_type):
                continue
            get = record.rec_headers.get_header
            yield Response(
                get("WARC-Target-URI"),
                get("WARC-Date"),
                content_type,
                int(record.http_headers.get_statuscode()),
                get("WARC-Record-ID"),
                get("WARC-Payload-Digest"),
                record.content_stream().read(),
            )


def with_fastwarc(path: Path) -> Iterator[Response]:
    """The HTML responses that fastwarc reads."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with open(path, "rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, auto_decode="none"):
            http = record.http_headers
            content_type = http.get("Content-Type") if http is not None else None
            if http is None or not _is_html(content_type):
                continue
            get = record.headers.get
            yield Response(
                get("WARC-Target-URI"),
                get("WARC-Date"),
                content_type,
                http.status_code,
                get("WARC-Record-ID"),
                get("WARC-Payload-Digest"),
                _decoded(record.reader.read(), http.get("Transfer-Encoding"), http.get("Content-Encoding")),
            )


def _decoded(body: bytes, transfer: str | None, content: str | None) -> bytes:
    """The body without its codings. fastwarc's own `auto_decode` (2.0.1) ends in the middle of files without an error."""
    if transfer == "chunked":
        joined, at = b"", 0
        while size := int(body[at : (end := body.index(b"\r\n", at))], 16):
            joined, at = joined + body[end + 2 : end + 2 + size], end + 4 + size
        body = joined
    if content == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if content == "deflate" else body


def _is_html(content_type: str | None) -> bool:
    media_type = (content_type or "").split(";")[0].strip().lower()
    return media_type in ("text/html", "application/xhtml+xml")


def with_djhost(path: Path, djhost: str, directory: Path) -> list[dict[str, Any]]:
    """The rows that djhost makes of the file."""
    recipe = directory / "recipe.yaml"
    recipe.write_text("process: []\nexport_path: rows.jsonl\npartition: {mode: manual, num_of_partitions: 5}\n")
    given = [djhost, "run", "recipe.yaml", "--quiet", "--fresh", "--dataset_path", str(path.resolve()), "--job_id", "job"]
    subprocess.run(given, cwd=directory, check=True)
    with open(directory / "rows.jsonl", encoding="utf-8", newline="\n") as rows:
        return [json.loads(row) for row in rows]


def _text_of(row: dict[str, Any], body: bytes) -> str:
    charset = row["charset"]
    text = body.decode(CODECS.get(charset, charset), "replace")
    return text.removeprefix("\ufeff")


def differences(path: Path, djhost: str) -> list[str]:
    """What differs between the readers of a file; empty if nothing does."""
    with tempfile.TemporaryDirectory() as directory:
        rows = with_djhost(path, djhost, Path(directory))
    found = []
    for name, reader in (("warcio", with_warcio), ("fastwarc", with_fastwarc)):
        count = 0
        for row, response in zip(rows, reader(path)):
            count += 1
            for field, value in response._asdict().items():
                if field == "body":
                    text = _text_of(row, response.body)
                    if text != row["html"]:
                        at = len(os.path.commonprefix([text, row["html"]]))
                        parts = [repr(part[max(at - 10, 0) : at + 10]) for part in (text, row["html"])]
                        found.append(f"{name}: {row['url']}: {row['charset']}: {parts[0]} is {parts[1]}")
                elif value != row[field]:
                    found.append(f"{name}: {row['url']}: {field} {value!r} is {row[field]!r}")
        others = sum(1 for _ in reader(path))
        if count != len(rows) or others != len(rows):
            found.append(f"{name} reads {others} responses, djhost has {len(rows)} rows")
    return found


def _cpu(of: int) -> float:
    used = resource.getrusage(of)
    return used.ru_utime + used.ru_stime


def times(path: Path, djhost: str) -> None:
    """Prints the CPU time of each reader, for all HTML responses."""
    size = path.stat().st_size / 1e6
    for name, reader in (("warcio", with_warcio), ("fastwarc", with_fastwarc)):
        before, bodies = time.process_time(), sum(len(response.body) for response in reader(path)) / 1e6
        seconds = time.process_time() - before
        print(f"{name:9} {seconds:6.2f} CPU s: {size / seconds:6.1f} MB/s of the file, {bodies / seconds:6.1f} MB/s of bodies")
    with tempfile.TemporaryDirectory() as directory:
        before = _cpu(resource.RUSAGE_CHILDREN)
        rows = with_djhost(path, djhost, Path(directory))
        seconds = _cpu(resource.RUSAGE_CHILDREN) - before
    bodies = sum(len(row["html"]) for row in rows) / 1e6
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(
        f"djhost    {seconds:6.2f} CPU s: {size / seconds:6.1f} MB/s of the file, {bodies / seconds:6.1f} MB/s of bodies, as a "
        f"job: charsets undone, written as JSONL; {memory:.0f} MB of memory"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--djhost", default="djhost", help="the program")
    parser.add_argument("--time", action="store_true", help="also show how long each takes")
    given = parser.parse_args()
    if given.time:
        times(given.path, given.djhost)
    found = differences(given.path, given.djhost)
    print("\n".join(found[:50]) or "no differences")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
