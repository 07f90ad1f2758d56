"""Writes a recipe as YAML that djhost, and every reader of YAML 1.2, reads as the same values.

By hand: the package has no dependencies, and a recipe needs only mappings, lists and scalars. Text that could be read as something
else is written as JSON writes it, which is YAML, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Text that no reader takes for anything else when it stands without quotes.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/-]+)*")
#: What readers of YAML 1.1 or 1.2 take for a bool, null or number.
_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity", "none"}


def dump(options: Mapping[str, Any], process: list[Mapping[str, Any]]) -> str:
    """A recipe: the options in their order, then ``process``, a line for each operator or a line for each of its parameters."""
    lines: list[str] = []
    for key, value in options.items():
        lines += _entry(_key(key), value, "")
    lines.append("process:" if process else "process: []")
    for op in process:
        ((name, params),) = op.items()
        lines.append(f"  - {_key(name)}:" if params else f"  - {_key(name)}: {{}}")
        for key, value in params.items():
            lines += _entry(_key(key), value, "      ")
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    """The lines of ``key: value``. Mappings of mappings are indented, all else stands on the line of its key."""
    if isinstance(value, Mapping) and any(isinstance(item, (Mapping, list)) and item for item in value.values()):
        yield f"{indent}{key}:"
        for inner, item in value.items():
            yield from _entry(_key(inner), item, indent + "  ")
    else:
        yield f"{indent}{key}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        # Python writes 1e+20 and 1e-07, which are numbers in YAML 1.2 only with a point in all readers.
        text = repr(value)
        return text if "." in text or "e" not in text else text.replace("e", ".0e")
    return json.dumps(value)


def _key(key: str) -> str:
    return _text(key)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # Characters that end a line, or that a text file should not have.
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]", lambda m: f"\\u{ord(m[0]):04x}", quoted)
