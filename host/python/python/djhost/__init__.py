"""Data-Juicer style recipes over datasets, with sandboxed WebAssembly operators.

>>> import djhost
>>> djhost.run([{"text": "a text"}, {"text": "x"}], [{"text_length_filter": {"min_len": 2}}]).to_list()
[{'text': 'a text'}]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from djhost import errors
from djhost._api import Plan, check, plan, run, start
from djhost._djhost import __version__
from djhost._job import Job, last_job
from djhost._result import Result
from djhost._splits import SplitResult

if TYPE_CHECKING:
    from djhost import ops
    from djhost._analysis import Analysis, analyze
    from djhost._build import Built, build
    from djhost._chain import Chain, read
    from djhost._explained import Explained, Report
    from djhost._recipes import Recipe
    from djhost._thresholds import WhatIf

__all__ = [
    "Analysis",
    "Built",
    "Chain",
    "Explained",
    "Job",
    "Plan",
    "Recipe",
    "Report",
    "Result",
    "SplitResult",
    "WhatIf",
    "__version__",
    "analyze",
    "build",
    "check",
    "errors",
    "last_job",
    "ops",
    "plan",
    "read",
    "run",
    "start",
]

# Loaded when they are first used, so that the import is quick.
_LATER = {
    "Analysis": "djhost._analysis",
    "Built": "djhost._build",
    "Chain": "djhost._chain",
    "Explained": "djhost._explained",
    "Recipe": "djhost._recipes",
    "Report": "djhost._explained",
    "WhatIf": "djhost._thresholds",
    "analyze": "djhost._analysis",
    "build": "djhost._build",
    "ops": "djhost.ops",
    "read": "djhost._chain",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'djhost' has no attribute {name!r}")
    module = importlib.import_module(_LATER[name])
    value = module if name == "ops" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
