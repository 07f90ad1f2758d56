#!/usr/bin/env python3
"""Compares djhost with Data-Juicer's `ray_partitioned` executor on a Ray cluster of this machine: see README.md beside it.

    python3 host/benches/peers/cluster.py DATA.jsonl … [--djhost PATH] [--cpus N] [--rounds N] [--set KEY=JSON …] [--keep FOLDER]

Needs `py-data-juicer` and `ray` in the Python that runs it, and root: what a job costs is read of a control group that has
the cluster and all jobs.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

# Fifteen operators that both have, without models.
PROCESS = [
    {"fix_unicode_mapper": {}},
    {"whitespace_normalization_mapper": {}},
    {"punctuation_normalization_mapper": {}},
    {"clean_email_mapper": {}},
    {"clean_ip_mapper": {}},
    {"clean_links_mapper": {}},
    {"remove_repeat_sentences_mapper": {}},
    {"alphanumeric_filter": {"tokenization": False, "min_ratio": 0.25}},
    {"average_line_length_filter": {}},
    {"character_repetition_filter": {}},
    {"maximum_line_length_filter": {}},
    {"special_characters_filter": {}},
    {"text_length_filter": {}},
    {"word_repetition_filter": {}},
    {"words_num_filter": {}},
]

ENGINES = ["djhost", "data-juicer"]
BIN = Path(sys.executable).parent
CLUSTER_ENV = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    # The machine may be busy.
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_enable_open_telemetry": "0",
}


class Group:
    """A control group: the CPU time of all that ever was in it, also of what has ended, and the memory of what is."""

    def __init__(self):
        root, name = Path("/sys/fs/cgroup"), f"djhost-peers-{os.getpid()}"
        self.is_v1 = (root / "cpuacct").is_dir()
        self.cpu = (root / "cpuacct" if self.is_v1 else root) / name
        self.memory = (root / "memory" if self.is_v1 else root) / name
        for folder in {self.cpu, self.memory}:
            folder.mkdir()

    def enter(self):
        for folder in {self.cpu, self.memory}:
            (folder / "cgroup.procs").write_text("0")

    def seconds(self):
        if self.is_v1:
            return int((self.cpu / "cpuacct.usage").read_text()) / 1e9
        return numbers(self.cpu / "cpu.stat")["usage_usec"] / 1e6

    def megabytes(self):
        """What processes have, and what they share, as the object store: not pages of files."""
        stat = numbers(self.memory / "memory.stat")
        return (stat["rss" if self.is_v1 else "anon"] + stat["shmem"]) / 1e6

    def pids(self):
        return [int(pid) for pid in (self.cpu / "cgroup.procs").read_text().split()]

    def kill(self):
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, 9)
            time.sleep(0.1)

    def end(self):
        self.kill()
        for folder in {self.cpu, self.memory}:
            folder.rmdir()


def numbers(path):
    return {name: int(value) for name, value in map(str.split, path.read_text().splitlines())}


def free_port():
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


def start_cluster(group, folder, cpus):
    """Starts a node, and returns the address of its cluster."""
    import ray

    log = folder / "start.log"
    # Ray gives up where the machine is too busy to start all in time.
    for _ in range(5):
        port = free_port()
        command = [
            str(BIN / "ray"), "start", "--head", f"--port={port}", f"--num-cpus={cpus}", "--object-store-memory=1000000000",
            "--include-dashboard=false", "--include-log-monitor=false", "--no-monitor", "--disable-usage-stats", f"--temp-dir={folder}",
        ]  # fmt: skip
        with open(log, "w") as output:
            done = subprocess.run(command, env=CLUSTER_ENV, stdout=output, stderr=output, preexec_fn=group.enter)
        if done.returncode == 0:
            return f"{ray.util.get_node_ip_address()}:{port}"
        group.kill()
    raise SystemExit(log.read_text())


def command_of(engine, data, arguments, folder):
    """The command that runs the recipe, which is written to `folder`."""
    settings = {
        "project_name": "peers",
        "dataset_path": str(Path(data).resolve()),
        "export_path": str(folder / "out" / "rows.jsonl"),
        "work_dir": str(folder / "work"),
        "executor_type": "ray_partitioned",
        "ray_address": "auto",
        "process": PROCESS,
    }
    for setting in arguments.set:
        key, _, value = setting.partition("=")
        settings[key] = json.loads(value)
    recipe = folder / "recipe.yaml"
    recipe.write_text(json.dumps(settings))
    if engine == "djhost":
        return [arguments.djhost, "run", str(recipe), "--quiet", "--ray.python", sys.executable]
    return [str(BIN / "dj-process"), "--config", str(recipe)]


def measured(group, command, address, folder):
    """Wall seconds, CPU seconds and peak megabytes of the group while the command runs in it."""
    peak, has_ended = group.megabytes(), threading.Event()

    def watch():
        nonlocal peak
        while not has_ended.wait(0.1):
            peak = max(peak, group.megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    before, started = group.seconds(), time.monotonic()
    # Data-Juicer looks for no other cluster than this variable's before it reads its recipe's `ray_address`.
    env = {**CLUSTER_ENV, "RAY_ADDRESS": address}
    with open(folder / "log", "w") as log:
        done = subprocess.run(command, cwd=folder, env=env, stdout=log, stderr=log, preexec_fn=group.enter)
    wall, cpu = time.monotonic() - started, group.seconds() - before
    has_ended.set()
    watcher.join()
    said = (folder / "log").read_text()
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{said[-3000:]}")
    if "Started a local Ray instance" in said:
        raise SystemExit(f"{command[0]} did not use the cluster, it started one of its own")
    return wall, cpu, peak


def settle(group, processes):
    """Waits until what a job has started on the cluster is gone: no more than so many processes are left."""
    deadline = time.monotonic() + 60
    while len(group.pids()) > processes and time.monotonic() < deadline:
        time.sleep(0.5)
    # And until what is idle has nothing left to do.
    time.sleep(5)


def plain(value):
    """The value without nulls, and with whole numbers as such."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rows_of(folder):
    """The rows, however often each, in one spelling. Data-Juicer's result is a directory of files; its rows have their stats,
    nulls for what only other rows have, and 26.0 for 26 beside such nulls."""
    rows = Counter()
    for file in folder.joinpath("out").rglob("*.json*"):
        if file.is_file():
            for line in file.open(encoding="utf-8"):
                row = plain(json.loads(line))
                row.pop("__dj__stats__", None)
                rows[json.dumps(row, sort_keys=True)] += 1
    return rows


def round_of(engine, data, arguments, address, group, processes):
    """Runs a job; returns what it costs, and its rows."""
    settle(group, processes)
    with tempfile.TemporaryDirectory(prefix="djp", dir="/tmp") as temporary:
        folder, load = Path(temporary), os.getloadavg()[0]
        cost = measured(group, command_of(engine, data, arguments, folder), address, folder)
        print(f"{engine}: {cost[0]:.1f} s, {cost[1]:.1f} CPU s, {cost[2]:.0f} MB (load before {load:.1f})", flush=True)
        if arguments.keep:
            shutil.copytree(folder, Path(arguments.keep, f"{Path(data).stem}-{engine}"), dirs_exist_ok=True)
        return cost, rows_of(folder)


def compare(data, arguments, address, group, processes, idle):
    costs, rows = {engine: [] for engine in ENGINES}, {}
    for number in range(arguments.rounds):
        for engine in ENGINES if number % 2 else reversed(ENGINES):
            cost, rows[engine] = round_of(engine, data, arguments, address, group, processes)
            costs[engine].append((*cost, cost[2] - idle))
    medians = {engine: [statistics.median(values) for values in zip(*costs[engine])] for engine in ENGINES}
    print(f"\n| {Path(data).name} | wall s | CPU s | peak MB | MB over the idle cluster | rows |\n|---|---:|---:|---:|---:|---:|")
    for engine, (wall, cpu, peak, over) in medians.items():
        print(f"| {engine} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {over:.0f} | {rows[engine].total()} |")
    ratios = [f"{theirs / own:.1f}" for own, theirs in zip(*(medians[engine] for engine in ENGINES))]
    # What is over the idle cluster after the first job has pages of the object store that jobs before have used.
    print(f"| Data-Juicer ÷ djhost | {' | '.join(ratios)} | |")
    only = [(rows[one] - rows[other]).total() for one, other in (ENGINES, reversed(ENGINES))]
    print(f"\nrows that only djhost has: {only[0]}, that only Data-Juicer has: {only[1]}\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="JSONL with a `text` in each row")
    parser.add_argument("--djhost", default=shutil.which("djhost") or "target/release/djhost")
    parser.add_argument("--cpus", type=int, default=2, help="of the node")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON", help="an option of both recipes")
    parser.add_argument("--keep", metavar="FOLDER", help="where results and run directories are copied to")
    arguments = parser.parse_args()
    arguments.djhost = str(Path(arguments.djhost).resolve())
    # Short: Ray has sockets below it.
    with tempfile.TemporaryDirectory(prefix="djp", dir="/tmp") as temporary:
        group = Group()
        try:
            address = start_cluster(group, Path(temporary), arguments.cpus)
            time.sleep(15)
            processes, idle, before = len(group.pids()), group.megabytes(), group.seconds()
            time.sleep(10)
            print(f"idle cluster: {idle:.0f} MB, {(group.seconds() - before) / 10:.3f} CPU s per s", flush=True)
            print("not counted, since it fills caches of files and of compiled operators:")
            for engine in ENGINES:
                round_of(engine, arguments.data[0], arguments, address, group, processes)
            for data in arguments.data:
                compare(data, arguments, address, group, processes, idle)
        finally:
            group.end()


if __name__ == "__main__":
    main()
