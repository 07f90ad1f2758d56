"""Writes src/public_suffixes.txt from the public suffix list: the rules of registries, those with letters outside of ASCII in both forms.

    python plugins/corpus/tables/make_suffixes.py public_suffix_list.dat
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADER = """# The rules of registries of the public suffix list, https://publicsuffix.org/list/, version {version}. Written by tables/make_suffixes.py.
# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not distributed with this
# file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""


def main() -> None:
    text = pathlib.Path(sys.argv[1]).read_text()
    version = re.search(r"VERSION: (\S+)", text)
    registries = text.split("===BEGIN ICANN DOMAINS===")[1].split("===END ICANN DOMAINS===")[0]
    rules = {line.strip() for line in registries.splitlines() if line.strip() and not line.startswith("//")}
    rules |= {".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in rule.split(".")) for rule in rules}
    header = HEADER.format(version=version[1] if version else "unknown")
    (HERE.parent / "src" / "public_suffixes.txt").write_text(header + "".join(f"{rule}\n" for rule in sorted(rules)))


if __name__ == "__main__":
    main()
