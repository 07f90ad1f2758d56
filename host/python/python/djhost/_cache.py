"""The user's cache."""

from __future__ import annotations

import os
from pathlib import Path

from djhost.errors import DjhostError

__all__ = ["cache"]


def cache(name: str) -> Path:
    """Return the directory `name` in ``$DJHOST_CACHE_DIR``, ``$XDG_CACHE_HOME/djhost`` or ``~/.cache/djhost``, as for compiled components.

    Nobody else may write there: what is found under a name is taken for it.
    """
    root = os.environ.get("DJHOST_CACHE_DIR")
    if not root:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        root = os.path.join(base, "djhost")
    directory = Path(root) / name
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.is_symlink() or directory.stat().st_uid != os.getuid():
        raise DjhostError(
            f"the cache `{directory}` belongs to somebody else\n  hint: set DJHOST_CACHE_DIR to a directory of your own"
        )
    directory.chmod(0o700)
    return directory
