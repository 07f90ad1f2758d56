"""Watch and stop jobs, with the names, arguments and results of ``data_juicer.utils.job``.

A script for Data-Juicer's jobs needs ``djhost`` for ``data_juicer`` in its imports, and nothing else. Jobs are found by their id,
the beginning of it, or their path; without a ``base_dir`` all jobs that this user started on this machine are known, and those
below ``./outputs``.
"""

from djhost.utils.job.common import JobUtils, list_running_jobs

__all__ = ["JobUtils", "list_running_jobs"]
