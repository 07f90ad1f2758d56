"""Files behind ``http://`` and ``https://``.

They are fetched whole, into the user's cache, before the job is planned: under a path that depends on
the URL alone, so that a job of another process finds its dataset again. A file is fetched again when the
server names another version of it (``ETag``, ``Last-Modified`` or length).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Optional

from djhost._cache import cache
from djhost.errors import DataError

__all__ = ["local"]

# How long a server may be silent, in seconds.
_TIMEOUT = 60.0

_PIECE = 1 << 20


def local(url: str) -> str:
    """Return the path of a copy of the file at `url`. Raises :class:`~djhost.errors.DataError` that names the URL and what went wrong."""
    parts = urllib.parse.urlsplit(url)
    # What comes last says the format, as it does in a path.
    name = os.path.basename(urllib.parse.unquote(parts.path)).replace("\0", "")[-100:] or "data"
    if name in (".", "..") or "/" in name:
        name = "data"
    place = cache("downloads") / hashlib.sha256(url.encode()).hexdigest()[:24]
    place.mkdir(mode=0o700, exist_ok=True)
    file, note = place / name, place / "version.json"
    request = urllib.request.Request(url, headers={"User-Agent": "djhost", "Accept-Encoding": "identity"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:
            version = {key: reply.headers.get(key) for key in ("ETag", "Last-Modified", "Content-Length")}
            if any(version.values()) and version == _known(note) and file.is_file():
                return str(file)
            _fetch(reply, file, version["Content-Length"])
    except urllib.error.HTTPError as error:
        raise DataError(f"`{_shown(url)}` cannot be read: {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException, _Cut) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"`{_shown(url)}` cannot be read: {reason}\n  hint: run it again once the server can be reached") from error
    note.write_text(json.dumps(version), encoding="utf-8")
    return str(file)


class _Cut(Exception):
    """The body is shorter than the server has said."""


def _fetch(reply: Any, file: Path, length: Optional[str]) -> None:
    """Write the body beside `file` and put it there once it is whole."""
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as out:
            shutil.copyfileobj(reply, out, _PIECE)
            written = out.tell()
        if length is not None and length.isdigit() and written != int(length):
            raise _Cut(f"it ended after {written} of {length} bytes")
        os.replace(part, file)
    except BaseException:
        os.unlink(part)
        raise


def _known(note: Path) -> Optional[dict[str, Optional[str]]]:
    try:
        known: dict[str, Optional[str]] = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known


def _shown(url: str) -> str:
    """The URL without what may be a password or a token."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
