"""Makes a WARC file of HTML pages: from directories, and from Debian packages (`apt-get download python3.11-doc`), without
unpacking them to disk.

Each page becomes what a crawler stores of it: a request, the response, and metadata, with a `warcinfo` record in front. With
`--vary`, pages differ as those of the web do: some are in another charset that has all of their characters, declared by the
HTTP header, by the page, by both, or wrongly; some are sent in chunks or packed. What is done to a page depends on its address
alone, so the same pages always give the same file.

    python make_warc.py --out pages.warc.gz pages/ some-doc_1.0_all.deb
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import re
import tarfile
import uuid
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator, NamedTuple

CHARSETS = [
    "windows-1252", "iso-8859-2", "windows-1251", "koi8-r", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr", "utf-16",
]  # fmt: skip
# Browsers have the characters of Hong Kong, and kana where these have them.
CODECS = {"big5": "big5hkscs"}
DECLARED = ["header", "page", "both", "lie"]
CODINGS = ["", "", "", "", "chunked", "gzip", "deflate", "gzip chunked"]
META = re.compile(rb"<meta[^>]*charset[^>]*>", re.IGNORECASE)
XML = re.compile(rb"^\s*<\?xml[^>]*\?>")
END = b"\r\n"


class Page(NamedTuple):
    """An HTML page."""

    url: str
    body: bytes


def pages_of(path: Path) -> Iterator[Page]:
    """The pages of a directory or of a Debian package, sorted by name."""
    if path.suffix == ".deb":
        yield from _pages_of_package(path)
        return
    for file in sorted(path.rglob("*")):
        if file.suffix in (".html", ".htm", ".xhtml") and file.is_file():
            yield Page(f"http://{path.name}.example.org/{file.relative_to(path)}", file.read_bytes())


def _pages_of_package(path: Path) -> Iterator[Page]:
    name = path.name.split("_")[0]
    with tarfile.open(fileobj=io.BytesIO(_data_of_package(path))) as files:
        for file in sorted(files, key=lambda file: file.name):
            plain = file.name.removesuffix(".gz")
            if not file.isreg() or not plain.endswith((".html", ".htm", ".xhtml")):
                continue
            content = files.extractfile(file)
            if content is None:
                continue
            body = content.read()
            place = plain.lstrip("./").replace(" ", "%20")
            yield Page(f"http://{name}.example.org/{place}", gzip.decompress(body) if plain != file.name else body)


def _data_of_package(path: Path) -> bytes:
    """The archive `data.tar` in a package, which is an `ar` archive."""
    with open(path, "rb") as file:
        if file.read(8) != b"!<arch>\n":
            raise SystemExit(f"{path}: not a Debian package")
        while head := file.read(60):
            name, size = head[:16].strip().rstrip(b"/"), int(head[48:58])
            content = file.read(size)
            file.read(size % 2)
            if name.startswith(b"data.tar"):
                return content
    raise SystemExit(f"{path}: the package has no data")


def _choice(url: str, of: str, options: list[str]) -> str:
    digest = hashlib.sha256(f"{of} {url}".encode()).digest()
    return options[int.from_bytes(digest[:4], "big") % len(options)]


def _text_of(body: bytes) -> str | None:
    """The text of a page whose charset is certain."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _varied(page: Page) -> tuple[bytes, str]:
    """The body in another charset, and the `Content-Type`."""
    text = _text_of(page.body)
    first = CHARSETS.index(_choice(page.url, "charset", CHARSETS))
    if text is not None and not text.isascii() and _choice(page.url, "recode", ["no", "yes"]) == "yes":
        text = XML.sub(b"", META.sub(b"", text.encode())).decode()
        for charset in CHARSETS[first:] + CHARSETS[:first]:
            try:
                body = text.encode(CODECS.get(charset, charset))
            except UnicodeEncodeError:
                continue
            declared = "header" if charset == "utf-16" else _choice(page.url, "declared", DECLARED)
            if declared != "header":
                meta = f'<meta charset="{charset}">'.encode()
                at = body.find(b"<head>") + 6 if b"<head>" in body else 0
                body = body[:at] + meta + body[at:]
            header = {"page": "", "lie": "; charset=utf-8"}.get(declared, f"; charset={charset}")
            return body, f"text/html{header}"
    return page.body, _choice(page.url, "type", ["text/html", "text/html; charset=UTF-8", "Text/HTML;charset=utf-8"])


def _coded(body: bytes, coding: str) -> tuple[bytes, list[str]]:
    """The body as it is sent, and the header fields that say so."""
    fields = []
    if "gzip" in coding:
        body, fields = gzip.compress(body, 6, mtime=0), ["Content-Encoding: gzip"]
    if "deflate" in coding:
        body, fields = zlib.compress(body), ["Content-Encoding: deflate"]
    if "chunked" not in coding:
        return body, [*fields, f"Content-Length: {len(body)}"]
    chunks = [body[at : at + 5000] for at in range(0, len(body), 5000)]
    joined = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return joined + b"0\r\n\r\n", [*fields, "Transfer-Encoding: chunked"]


def _digest(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()


def record(kind: str, url: str | None, content_type: str, content: bytes, **more: str) -> bytes:
    """A WARC record; `more` are further fields, with `_` for `-`."""
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {url}")
    fields = [
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{name}>",
        "WARC-Date: 2026-01-02T03:04:05Z",
        *([f"WARC-Target-URI: {url}"] if url else []),
        *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
        f"WARC-Block-Digest: {_digest(content)}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
    ]
    head = END.join([b"WARC/1.0", *(field.encode() for field in fields)])
    return head + END + END + content + END + END


def records_of(page: Page, vary: bool) -> Iterator[bytes]:
    """The records that a crawler stores of a page."""
    host, _, place = page.url.removeprefix("http://").partition("/")
    request = f"GET /{place} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: make_warc\r\n\r\n".encode()
    yield record("request", page.url, "application/http; msgtype=request", request)
    body, content_type = _varied(page) if vary else (page.body, "text/html")
    sent, fields = _coded(body, _choice(page.url, "coding", CODINGS) if vary else "")
    head = END.join([b"HTTP/1.1 200 OK", f"Content-Type: {content_type}".encode(), *(field.encode() for field in fields)])
    yield record(
        "response",
        page.url,
        "application/http; msgtype=response",
        head + END + END + sent,
        WARC_Payload_Digest=_digest(sent),
    )
    yield record("metadata", page.url, "application/warc-fields", b"fetchTimeMs: 1\r\n")


class Writer:
    """Writes records: each packed by itself if the name ends in `.gz` or `.zst`, or all together with `whole`."""

    def __init__(self, path: Path, whole: bool = False) -> None:
        """Begins the file at `path`. `.zst` needs the package `zstandard`."""
        self.packing = path.suffix if path.suffix in (".gz", ".zst") else ""
        self.each = bool(self.packing) and not whole
        self.file: BinaryIO = open(path, "wb")
        self.out: BinaryIO = self.file
        if self.packing == ".gz" and whole:
            self.out = gzip.GzipFile(fileobj=self.file, mode="wb", mtime=0)  # type: ignore[assignment]
        if self.packing == ".zst":
            import zstandard

            self.packer = zstandard.ZstdCompressor()
            if whole:
                self.out = self.packer.stream_writer(self.file)

    def write(self, content: bytes) -> int:
        """Adds a record; returns where it begins in the file."""
        at = self.file.tell()
        if self.each:
            content = gzip.compress(content, 6, mtime=0) if self.packing == ".gz" else self.packer.compress(content)
        self.out.write(content)
        return at

    def close(self) -> None:
        """Ends the file."""
        if self.out is not self.file:
            self.out.close()
        self.file.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file: .warc, .warc.gz or .warc.zst")
    parser.add_argument("--whole", action="store_true", help="pack the file as a whole, not by record")
    parser.add_argument("--vary", action="store_true", help="other charsets and codings")
    parser.add_argument("--most", type=int, default=10**9, help="stop after so many pages")
    parser.add_argument("sources", type=Path, nargs="+", help="directories and .deb files")
    given = parser.parse_args()
    writer = Writer(given.out, given.whole)
    writer.write(record("warcinfo", None, "application/warc-fields", b"software: make_warc\r\n"))
    pages = (page for source in given.sources for page in pages_of(source))
    count = 0
    for count, page in enumerate(pages, 1):
        for content in records_of(page, given.vary):
            writer.write(content)
        if count >= given.most:
            break
    writer.close()
    print(f"{count} pages, {given.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
