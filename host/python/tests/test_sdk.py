"""The package has the SDK for operators in Python inside, as it is in `sdk/python`."""

from __future__ import annotations

from pathlib import Path

import djhost_sdk

SDK = Path(__file__).resolve().parents[3] / "sdk" / "python"


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_the_sdk_inside_is_that_of_the_repository() -> None:
    installed = Path(djhost_sdk.__file__).parent
    assert files(installed) == files(SDK / "djhost_sdk"), "link new files in host/python/python/djhost_sdk"
    assert (installed / "wit" / "op.wit").read_bytes() == (SDK / "wit" / "op.wit").read_bytes()
