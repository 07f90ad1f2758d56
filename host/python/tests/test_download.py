"""Files behind URLs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import djhost
from djhost.errors import DataError

ROWS = b'{"text": "a text"}\n{"text": "x"}\n'
RECIPE: list[Any] = [{"text_length_filter": {"min_len": 3}}]


class Server(HTTPServer):
    """Serves one file at any path but some."""

    body = ROWS
    etag = '"1"'
    sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path.startswith("/nothing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("ETag", self.server.etag)
        lacking = 9 if self.path.startswith("/cut") else 0
        self.send_header("Content-Length", str(len(self.server.body) + lacking))
        self.end_headers()
        self.wfile.write(self.server.body)
        self.server.sent += 1

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("DJHOST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    server = Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_is_a_dataset_of_the_format_that_it_says(server: Server, tmp_path: Path) -> None:
    assert djhost.run(f"{server.url}/rows.jsonl?key=1", RECIPE).to_list() == [{"text": "a text"}]
    both = [f"{server.url}/a.jsonl", f"{server.url}/b.jsonl"]
    assert len(djhost.run(both, RECIPE)) == 2
    out = tmp_path / "out.jsonl"
    djhost.run(f"{server.url}/a.jsonl", RECIPE, export_path=out, work_dir=tmp_path, job_id="job")
    again = djhost.run(f"{server.url}/a.jsonl", RECIPE, export_path=out, work_dir=tmp_path, job_id="job")
    assert again.path.read_text() == '{"text": "a text"}\n'
    assert len(again.summary["attempts"]) == 1


def test_another_version_of_the_file_is_fetched_again(server: Server) -> None:
    url = f"{server.url}/rows.jsonl"
    assert len(djhost.run(url, RECIPE)) == 1
    server.body, server.etag = ROWS + ROWS, '"2"'
    assert len(djhost.run(url, RECIPE)) == 2


def test_what_cannot_be_read_is_said_with_its_url(server: Server) -> None:
    with pytest.raises(DataError, match=f"`{server.url}/nothing.jsonl` cannot be read: 404"):
        djhost.run(f"{server.url}/nothing.jsonl?token=secret", RECIPE)
    with pytest.raises(DataError, match="ended after 33 of 42 bytes"):
        djhost.run(f"{server.url}/cut.jsonl", RECIPE)
    with pytest.raises(DataError, match="cannot be read") as raised:
        djhost.run("http://user:secret@127.0.0.1:1/rows.jsonl", RECIPE)
    assert "secret" not in str(raised.value)
