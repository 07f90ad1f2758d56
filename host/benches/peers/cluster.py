#!/usr/bin/env python3
"""djhost beside Data-Juicer's `ray_partitioned` executor, on one Ray cluster of this machine: see README.md beside it.

    python3 host/benches/peers/cluster.py DATA.jsonl [--djhost PATH] [--nodes 2] [--partitions 8] [--rounds 3]

For a Python that has `py-data-juicer` and `ray`, as root on Linux with cgroups: what a run costs is read of a group that has the cluster and the job.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

OPS = [
    {"fix_unicode_mapper": {}},
    {"whitespace_normalization_mapper": {}},
    {"clean_email_mapper": {}},
    {"clean_links_mapper": {}},
    {"clean_ip_mapper": {}},
    {"text_length_filter": {"min_len": 100, "max_len": 100000}},
    {"words_num_filter": {"min_num": 20}},
    {"alphanumeric_filter": {"min_ratio": 0.6}},
    {"average_line_length_filter": {"min_len": 10}},
    {"maximum_line_length_filter": {"min_len": 20}},
    {"character_repetition_filter": {"rep_len": 10, "max_ratio": 0.3}},
    {"word_repetition_filter": {"rep_len": 10, "max_ratio": 0.3}},
    {"special_characters_filter": {"max_ratio": 0.3}},
]


class Group:
    """A control group: the CPU time of all that ever was in it, and the memory of what is."""

    def __init__(self):
        root = Path("/sys/fs/cgroup")
        self.dir = (root / "cpuacct" if (root / "cpuacct").is_dir() else root) / f"djhost-peers-{os.getpid()}"
        self.dir.mkdir()

    def enter(self):
        (self.dir / "cgroup.procs").write_text("0")

    def seconds(self):
        usage = self.dir / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        return int((self.dir / "cpu.stat").read_text().split()[1]) / 1e6

    def pids(self):
        return (self.dir / "cgroup.procs").read_text().split()

    def memory(self):
        """In MB: pages that several processes share count once."""
        total = 0
        for pid in self.pids():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def end(self):
        while pids := self.pids():
            for pid in pids:
                try:
                    os.kill(int(pid), 9)
                except OSError:
                    pass
            time.sleep(0.1)
        self.dir.rmdir()


def free_port():
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


class Cluster:
    """A head without CPUs, and nodes with one each."""

    def __init__(self, group, nodes, dir):
        self.group, self.dir = group, dir
        ray = str(Path(sys.executable).parent / "ray")
        port = free_port()
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "disabled",
            "RAY_DISABLE_USAGE_STATS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        log = open(dir / "ray.log", "w")

        def start(*arguments):
            command = [ray, "start", "--include-log-monitor=false", "--object-store-memory=1000000000", *arguments]
            subprocess.run(command, check=True, env=self.environment, stdout=log, stderr=log, preexec_fn=group.enter)

        start("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={dir}/ray")
        import ray as package

        self.address = f"{package.util.get_node_ip_address()}:{port}"
        for _ in range(nodes):
            start(f"--address={self.address}", "--num-cpus=1")

    def run(self, name, command):
        """Runs a job; returns wall time, CPU time and the most memory, without what the idle cluster has."""
        idle = self.group.memory()
        peak, has_ended = [idle], threading.Event()

        def watch():
            while not has_ended.wait(0.2):
                peak[0] = max(peak[0], self.group.memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        cpu, wall = self.group.seconds(), time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.dir,
            env=self.environment,
            stdout=open(self.dir / f"{name}.log", "w"),
            stderr=subprocess.STDOUT,
            preexec_fn=self.group.enter,
        )
        wall, cpu = time.monotonic() - wall, self.group.seconds() - cpu
        has_ended.set()
        watcher.join()
        if done.returncode:
            raise SystemExit(f"{name} failed: {(self.dir / f'{name}.log').read_text()[-2000:]}")
        return wall, cpu, peak[0] - idle


def recipe(args, dir, name, more):
    path = dir / f"{name}.json"
    settings = {
        "dataset_path": str(Path(args.data).resolve()),
        "export_path": str(dir / f"{name}-out" / "out.jsonl"),
        "work_dir": str(dir / f"{name}-work"),
        "executor_type": "ray_partitioned",
        "partition": {"mode": "manual", "num_of_partitions": args.partitions},
        "checkpoint": {"enabled": False},
        "process": OPS,
        **more,
    }
    path.write_text(json.dumps(settings))
    return path


def rows(dir, name):
    """The texts that are left; Data-Juicer makes a directory of files."""
    found = [file for file in (dir / f"{name}-out").rglob("*") if file.is_file() and "json" in file.name]
    lines = (line for file in found for line in file.open(encoding="utf-8") if line.strip())
    return sorted(json.loads(line)["text"] for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--djhost", default="target/release/djhost")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    djhost = str(Path(args.djhost).resolve())
    dj_process = str(Path(sys.executable).parent / "dj-process")
    taken, left = {}, {}
    with tempfile.TemporaryDirectory(prefix="djp", dir="/tmp") as temporary:
        dir, group = Path(temporary), Group()
        try:
            cluster = Cluster(group, args.nodes, dir)
            # The first round does not count: what nodes keep, and what imports compile.
            for round in range(args.rounds + 1):
                for engine in ["djhost", "data-juicer"]:
                    name = f"{engine}-{round}"
                    more = {"ray_address": cluster.address}
                    if engine == "djhost":
                        more["ray"] = {"python": sys.executable}
                        command = [djhost, "run", str(recipe(args, dir, name, more)), "--quiet"]
                    else:
                        command = [dj_process, "--config", str(recipe(args, dir, name, more))]
                    cost = cluster.run(name, command)
                    left[engine] = rows(dir, name)
                    print(f"{name}: {cost[0]:.1f} s, {cost[1]:.1f} CPU s, {cost[2]:.0f} MB, {len(left[engine])} rows", flush=True)
                    if round:
                        taken.setdefault(engine, []).append(cost)
        finally:
            group.end()
    for engine, costs in taken.items():
        wall, cpu, memory = (statistics.median(values) for values in zip(*costs))
        print(f"| {engine} | {wall:.1f} | {cpu:.1f} | {memory:.0f} | {len(left[engine])} |")
    differing = sum(one != other for one, other in zip(left["djhost"], left["data-juicer"]))
    print(f"{differing} of the texts differ" if len(left["djhost"]) == len(left["data-juicer"]) else "other rows are left")


main()
