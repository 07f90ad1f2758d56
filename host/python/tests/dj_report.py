"""Run by a Python that has Data-Juicer, or djhost: prints what its job functions return, as JSON.

    dj_report.py data_juicer|djhost BASE_DIR JOB_ID
"""

import contextlib
import importlib
import io
import json
import sys

package, base_dir, job_id = sys.argv[1:]
common = importlib.import_module(f"{package}.utils.job.common")
monitor = importlib.import_module(f"{package}.utils.job.monitor")
stopper = importlib.import_module(f"{package}.utils.job.stopper")

with contextlib.redirect_stdout(io.StringIO()):
    job = common.JobUtils(job_id, base_dir=base_dir)
    report = {
        "show_job_progress": monitor.show_job_progress(job_id, base_dir, detailed=True),
        "list_running_jobs": common.list_running_jobs(base_dir),
        "load_job_summary": job.load_job_summary(),
        "load_event_logs": job.load_event_logs(),
        "load_dataset_mapping": job.load_dataset_mapping(),
        "calculate_overall_progress": job.calculate_overall_progress(),
        "get_partition_status": job.get_partition_status(),
        "get_operation_pipeline": job.get_operation_pipeline(),
        "extract_process_thread_ids": {key: sorted(ids) for key, ids in job.extract_process_thread_ids().items()},
        "attributes": [job.job_id, str(job.work_dir)],
        # The last call: Data-Juicer's marks a job as stopped even if it was complete.
        "stop_job": stopper.stop_job(job_id, base_dir, force=False, timeout=5),
    }
print(json.dumps(report))
