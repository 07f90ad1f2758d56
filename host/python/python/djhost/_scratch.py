"""Temporary run directories."""

from __future__ import annotations

import os
import weakref

__all__ = ["Scratch"]


class Scratch:
    """A temporary directory that goes away with this object, or at the end of the process.

    It is where ``TMPDIR`` says. A child of a fork, which has a copy of the object, leaves it alone.
    """

    path: str

    def __init__(self) -> None:
        import tempfile

        self.path = tempfile.mkdtemp(prefix="djhost-")
        weakref.finalize(self, _remove, self.path, os.getpid())

    def keep(self) -> None:
        """Let the directory stay until the end of the process."""
        _kept.append(self)


_kept: list[Scratch] = []


def _remove(path: str, pid: int) -> None:
    if os.getpid() == pid:
        import shutil

        shutil.rmtree(path, ignore_errors=True)
