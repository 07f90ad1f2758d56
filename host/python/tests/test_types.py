"""The types of the public surface, as mypy --strict sees them in a program of a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def mypy(*args: str) -> str:
    """What `mypy --strict` says, without its last line."""
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *args], capture_output=True, text=True, cwd=HERE)
    assert done.stderr == ""
    return done.stdout


def test_a_program_of_a_user_is_typed() -> None:
    assert mypy("types_good.py") == ""


def test_mistakes_are_seen() -> None:
    said = mypy("types_wrong.py")
    wrong = [i for i, line in enumerate((HERE / "types_wrong.py").read_text().splitlines(), 1) if line.endswith("# wrong")]
    seen = sorted({int(line.split(":")[1]) for line in said.splitlines() if ": error:" in line})
    assert seen == wrong, said


def test_the_package_itself_is_strict() -> None:
    # The sources: in an environment, mypy takes other packages for files of the program.
    assert mypy("--config-file", str(HERE.parent / "pyproject.toml"), str(HERE.parent / "python" / "djhost")) == ""
