"""What the native module has to know of the Python that it is in."""

from __future__ import annotations

import os
import sys

from djhost import _djhost

# Loads the native module alone: packages beside it, and files in the working directory, play no part.
_COMPILER = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("djhost._djhost", sys.argv[1])
module = module_from_spec(spec)
spec.loader.exec_module(module)
sys.exit(module.main(["djhost", *sys.argv[2:]]))
"""


def prepare() -> None:
    """Say how a component of a plugin is compiled in a process of its own."""
    # A program that has Python in it, such as a web server, may name itself.
    is_python = os.path.basename(sys.executable or "").lower().startswith(("python", "pypy"))
    if is_python and _djhost.__file__:
        _djhost.compile_with([sys.executable, "-I", "-S", "-c", _COMPILER, _djhost.__file__])
