"""The Python code of the cookbook and the README is true: each block is run by itself."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

SDK = Path(__file__).parents[1]
sys.path.insert(0, str(SDK))


def blocks(path):
    text = path.read_text(encoding="utf-8")
    return [(text[: found.start()].count("\n") + 1, found[1]) for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)]


class Docs(unittest.TestCase):
    def test_every_block_runs(self):
        ran = 0
        for path in [SDK / "README.md", SDK.parent / "COOKBOOK.md"]:
            for line, code in blocks(path):
                # Each in a module of its own, as the operators are told apart by it.
                with self.subTest(file=path.name, line=line), tempfile.TemporaryDirectory() as directory:
                    file = Path(directory) / "block.py"
                    file.write_text(code, encoding="utf-8")
                    forget()
                    exec(compile(code, file, "exec"), {"__name__": f"block_{line}"})
                    ran += 1
        self.assertGreaterEqual(ran, 7)


def forget():
    """Forgets the operators of other blocks and tests, which may have the same names."""
    from djhost_sdk.operator import OPERATORS

    OPERATORS.clear()


if __name__ == "__main__":
    unittest.main()
