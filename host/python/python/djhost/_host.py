"""What the native module has to know of the Python that it is in, and its command in a process of its own."""

from __future__ import annotations

import os
import sys

from djhost import _djhost
from djhost.errors import DjhostError, QuestionError, problem

# Loads the native module alone: packages beside it, and files in the working directory, play no part.
_LOAD = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("djhost._djhost", sys.argv[1])
module = module_from_spec(spec)
spec.loader.exec_module(module)
"""
_COMPILER = _LOAD + 'sys.exit(module.main(["djhost", *sys.argv[2:]]))\n'
_COMMAND = (
    _LOAD
    + """\
module.compile_with([sys.executable, "-I", "-S", "-c", sys.argv[2], sys.argv[1]])
sys.exit(module.main(["djhost", *sys.argv[3:]]))
"""
)


def prepare() -> None:
    """Say how djhost is started in a process of its own, which compiles plugins or runs tasks."""
    if _is_python() and _djhost.__file__:
        _djhost.compile_with([sys.executable, "-I", "-S", "-c", _COMMAND, _djhost.__file__, _COMPILER])


def _is_python() -> bool:
    # A program that has Python in it, such as a web server, may name itself.
    return os.path.basename(sys.executable or "").lower().startswith(("python", "pypy"))


def ask(*arguments: "str | os.PathLike[str]") -> str:
    """Run the command ``djhost`` with these arguments, and return what it prints.

    Commands that read the rows of a job once more go to the directory in which it was started, because
    paths in its recipe are relative to that. This process stays where it is.

    Raises :class:`~djhost.errors.QuestionError` if the command refuses the arguments.
    """
    if not (_is_python() and _djhost.__file__):
        raise DjhostError(
            f"this needs a Python of its own, and `sys.executable` is `{sys.executable}`\n"
            "  hint: ask from a program that Python runs, or with the command `djhost`"
        )
    import subprocess

    call = [sys.executable, "-I", "-S", "-c", _COMMAND, _djhost.__file__, _COMPILER, *arguments]
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace")
    said = done.stderr.decode("utf-8", "replace").strip()
    # Notes may stand before the error.
    _, _, said = ("\n" + said).rpartition("\nerror: ")
    message, _, hint = said.partition("\n  hint: ")
    if done.returncode == 2:
        raise QuestionError([problem(message, hint=hint or None)])
    raise DjhostError(said or f"`djhost {arguments[0]}` ended with {done.returncode}")
