"""Jobs in the background: waiting, stopping, interrupts, threads, processes."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

import djhost
from conftest import SLOW_RECIPE
from djhost.errors import JobStopped

ROWS = [{"text": f"a text of some length {i}", "i": i} for i in range(100)]
LONG = [{"text_length_filter": {"min_len": 10}}]


def whole(rows: Path) -> list[Any]:
    return djhost.run(rows, SLOW_RECIPE).to_list()


def test_a_job_ends_with_its_result() -> None:
    job = djhost.start(ROWS, LONG)
    assert job.status in ("running", "completed")
    assert job.wait(60).to_list() == ROWS == job.wait().to_list()
    assert job.done() and job.status == "completed"
    assert job.resume() is job and job.wait() is job.wait(), "what is complete stays"
    assert [event["event_type"] for event in job.events()][-1] == "job_complete"
    progress = job.progress()
    assert (progress["status"], progress["fraction"], progress["rows"]["output"]) == ("completed", 1.0, 100)


def test_waiting_has_an_end_and_the_job_goes_on(slow_rows: Path) -> None:
    job = djhost.start(slow_rows, SLOW_RECIPE, np=1)
    with pytest.raises(TimeoutError):
        job.wait(0.01)
    assert job.status == "running"
    assert job.stop() == "stopped"


def test_a_job_that_is_stopped_continues_with_the_same_rows(slow_rows: Path) -> None:
    job = djhost.start(slow_rows, SLOW_RECIPE, np=1, job_id="mine", partition__size=2000, partition__mode="manual")
    assert job.stop() == "stopped"
    with pytest.raises(JobStopped) as caught:
        job.wait()
    assert caught.value.job is job
    assert "--job_id mine" in str(caught.value)
    assert job.resume().wait().to_list() == whole(slow_rows)
    assert len(json.loads((job.run_dir / "job_summary.json").read_text())["attempts"]) == 2


def test_rows_in_memory_are_there_for_the_next_attempt(slow_rows: Path) -> None:
    rows = (json.loads(line) for line in slow_rows.read_text().splitlines())
    job = djhost.start(rows, SLOW_RECIPE, np=1)
    assert job.stop() == "stopped"
    assert job.resume().wait().to_list() == whole(slow_rows)


def test_progress_is_told_while_it_waits(slow_rows: Path) -> None:
    told: list[dict[str, Any]] = []
    # Mappers alone, many times: the filters leave no rows, and work that is done at once tells nothing.
    mappers = [op for op in SLOW_RECIPE if op.endswith("_mapper")]
    djhost.run(slow_rows, mappers * 8, np=1, progress=told.append)
    assert told, "a job of seconds tells how far it is"
    last = told[-1]
    assert 0 < last["bytes_read"] <= last["bytes"] == slow_rows.stat().st_size
    assert last["op_name"] in SLOW_RECIPE and last["rows"] <= 30_000


def test_the_log_can_be_followed(slow_rows: Path) -> None:
    job = djhost.start(slow_rows, SLOW_RECIPE)
    lines = list(job.logs(follow=True))
    assert job.done()
    assert lines == job.logs().splitlines() and any("INFO" in line for line in lines)


def test_jobs_at_once_have_logs_and_results_of_their_own() -> None:
    jobs = [
        djhost.start(ROWS[i:], [{"text_length_filter": {"min_len": 10 + i}}], job_id=f"job_{i}")
        for i in range(8)
    ]
    for i, job in enumerate(jobs):
        result = job.wait()
        assert result.to_list() == [r for r in ROWS[i:] if len(r["text"]) >= 10 + i]
        started = [e for e in job.events() if e["event_type"] == "job_start"]
        assert [e["job_id"] for e in started] == [f"job_{i}"]
        others = [f"job_{k}" for k in range(8) if k != i]
        assert not any(other in job.logs() for other in others)


def test_jobs_from_threads() -> None:
    results: dict[int, list[Any]] = {}

    def work(i: int) -> None:
        results[i] = djhost.run(ROWS[i:], LONG).to_list()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: ROWS[i:] for i in range(6)}


def test_a_job_can_be_awaited() -> None:
    async def main() -> list[int]:
        jobs = [djhost.start(ROWS[i:], LONG) for i in range(3)]
        return [len(result) for result in await asyncio.gather(*map(_await, jobs))]

    async def _await(job: djhost.Job) -> djhost.Result:
        return await job

    assert asyncio.run(main()) == [100, 99, 98]


def _in_a_process(start: int) -> list[Any]:
    return djhost.run(ROWS[start:], LONG).to_list()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_are_spawned_work(method: str) -> None:
    djhost.run(ROWS, LONG)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_in_a_process, [0, 50]) == [ROWS, ROWS[50:]]


def test_a_forked_process_reads_results(python: Callable[..., Any]) -> None:
    done = python(
        """
        import os, sys
        import djhost
        rows = [{"text": f"text {i}"} for i in range(3000)]
        results = [djhost.run(rows, [], export_path=f"r.{end}") for end in ("jsonl", "arrow", "parquet", "jsonl.gz")]
        temporary = djhost.run(rows, [])
        if os.fork() == 0:
            for result in results:
                try:
                    print(len(result.to_list()))
                except RuntimeError as error:
                    print("refused")
            del results, temporary
            sys.exit()
        os.wait()
        print(len(temporary.to_list()))
        """
    )
    assert done.stdout.split() == ["3000"] * 3 + ["refused", "3000"], done.stderr


def test_a_fork_works_before_the_first_job_and_is_refused_after_it(python: Callable[..., Any]) -> None:
    done = python(
        """
        import os, sys
        import djhost
        def child():
            if os.fork() == 0:
                try:
                    print(len(djhost.run([{"text": "x"}], [])))
                except RuntimeError as error:
                    print(error)
                sys.stdout.flush()
                os._exit(0)
            os.wait()
        child()
        result = djhost.run([{"text": "x"}, {"text": "y"}], [])
        child()
        print(len(result.to_list()))
        """
    )
    first, second, third = done.stdout.splitlines()
    assert (first, third) == ("1", "2"), done.stderr
    assert second.startswith("this process was forked from") and "spawn" in second


INTERRUPTED = """
    import json, os, signal, sys
    import djhost
    from djhost.errors import JobInterrupted
    rows, recipe, options = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    told = []
    def tell(live):
        if not told:
            os.kill(os.getpid(), signal.SIGINT)
        told.append(live)
    try:
        djhost.run(rows, recipe, np=1, progress=tell, **options)
    except JobInterrupted as error:
        assert isinstance(error, KeyboardInterrupt)
        print(error.job.status)
        print(error)
        print(error.resumption_command)
        print(len(error.job.resume().wait()))
"""


def test_ctrl_c_is_a_graceful_stop_that_says_how_to_go_on(slow_rows: Path, python: Callable[..., Any]) -> None:
    for options in {"job_id": "mine"}, {}:
        done = python(INTERRUPTED, slow_rows, json.dumps(SLOW_RECIPE), json.dumps(options))
        assert done.returncode == 0, done.stderr
        status, said, command, rows = done.stdout.splitlines()
        assert status == "stopped"
        assert int(rows) == len(whole(slow_rows))
        assert "djhost.last_job().resume().wait()" in said
        if options:
            assert said.endswith(command) and "--job_id mine" in command
        else:
            assert command == "None" and "in this process" in said


def test_another_process_continues_what_one_has_begun(slow_rows: Path, python: Callable[..., Any]) -> None:
    wanted = whole(slow_rows)
    rows = [json.loads(line) for line in slow_rows.read_text().splitlines()]
    options = {"job_id": "mine", "np": 1, "partition__mode": "manual", "partition__size": 1000}
    killed = python(
        """
        import json, os, signal, sys
        import djhost
        rows = map(json.loads, open(sys.argv[1]))
        def tell(live):
            if live["partitions_done"] > 2:
                os.kill(os.getpid(), signal.SIGKILL)
        djhost.run(rows, json.loads(sys.argv[2]), progress=tell, **json.loads(sys.argv[3]))
        """,
        slow_rows,
        json.dumps(SLOW_RECIPE),
        json.dumps(options),
    )
    assert killed.returncode == -9, killed.stderr
    # The rows are known by their content, not by the file or the process that they come from.
    result = djhost.run(rows, SLOW_RECIPE, **options)
    assert result.to_list() == wanted
    taken_over = [
        event
        for path in result.run_dir.glob("events_*.jsonl")
        for event in map(json.loads, path.read_text().splitlines())
        if event["event_type"] == "partition_complete" and event.get("taken_over")
    ]
    assert len(taken_over) > 2


def test_the_command_continues_a_job_of_rows_and_a_recipe_of_data(
    slow_rows: Path, python: Callable[..., Any]
) -> None:
    import shlex
    import subprocess
    import sys

    rows = [json.loads(line) for line in slow_rows.read_text().splitlines()]
    job = djhost.start(rows, SLOW_RECIPE, np=1, job_id="mine", word_repetition_filter={"rep_len": 5})
    job.stop()
    with pytest.raises(JobStopped) as caught:
        job.wait()
    command = shlex.split(str(caught.value.resumption_command))
    assert command[0] == "djhost"
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = djhost.run(rows, SLOW_RECIPE, word_repetition_filter={"rep_len": 5}).to_list()
    assert djhost.Result(job.run_dir).to_list() == wanted


def test_other_processes_ask_a_python_program_by_a_file_and_never_end_it(slow_rows: Path) -> None:
    import subprocess
    import sys

    def djhost_stop(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "djhost", "stop", str(job.run_dir), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    job = djhost.start(slow_rows, SLOW_RECIPE * 20, np=1, job_id="mine")
    forced = djhost_stop("--force")
    assert forced.returncode != 0 and "is not killed" in forced.stderr
    assert job.status == "running"
    assert djhost_stop().returncode == 0
    with pytest.raises(JobStopped):
        job.wait()


def test_a_job_that_nobody_waits_for_commits_what_it_has_at_the_end(
    slow_rows: Path, python: Callable[..., Any]
) -> None:
    done = python(
        """
        import json, sys
        import djhost
        djhost.start(sys.argv[1], json.loads(sys.argv[2]), np=1, job_id="mine")
        """,
        slow_rows,
        json.dumps(SLOW_RECIPE),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("outputs/mine/job_summary.json").read_text())["status"] == "stopped"

