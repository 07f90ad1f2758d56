"""Runs a command of djhost in this process."""

from __future__ import annotations

import signal
from typing import Sequence

from djhost import _djhost, _host


def run(args: Sequence[str]) -> int:
    """Runs ``djhost ARGS`` and returns its exit code. Ctrl-C ends it, as it ends the program."""
    _host.prepare()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _djhost.main(["djhost", *args])
    finally:
        signal.signal(signal.SIGINT, before)
