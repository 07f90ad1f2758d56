from typing import Any

def run(op: Any, rows: list[dict[str, Any]], **params: Any) -> list[dict[str, Any]]:
    """The rows after the operator. A rejected row, or one without a field that is required, is a ValueError."""
