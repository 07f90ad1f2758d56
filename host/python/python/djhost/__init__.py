"""Data-Juicer style recipes over datasets, with sandboxed WebAssembly operators.

>>> import djhost
>>> djhost.run([{"text": "a text"}, {"text": "x"}], [{"text_length_filter": {"min_len": 2}}]).to_list()
[{'text': 'a text'}]
"""

from djhost import errors
from djhost._api import Plan, check, plan, run, start
from djhost._djhost import __version__
from djhost._job import Job
from djhost._result import Result
from djhost._splits import SplitResult

__all__ = [
    "Job",
    "Plan",
    "Result",
    "SplitResult",
    "__version__",
    "check",
    "errors",
    "plan",
    "run",
    "start",
]
