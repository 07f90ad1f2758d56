"""A Ray cluster on this machine, for as long as standard input is open: cluster.py TEMPORARY PORT DASHBOARD CPUS…

The first of CPUS is the head. Prints a line of JSON when all nodes are there, and one after each command:
`kill N` ends the raylet of node N, `add CPUS` adds a node, `hide CPUS DIR` adds one that sees nothing in DIR.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import ray

temporary, port, dashboard, *cpus = sys.argv[1:]
# Ray takes this for 127.0.0.1, too.
ADDRESS = f"{ray.util.get_node_ip_address()}:{port}"
MARK = f"DJHOST_TEST_CLUSTER={os.getpid()}-{port}"
RAY = os.path.join(os.path.dirname(sys.executable), "ray")
nodes = []
# How often a node is started, and how long it may take.
TRIES = 4
PATIENCE = 100


def free_port():
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


# With fixed ports a raylet waits for fewer of its agents: it ends if one takes 20 s to start, as on a busy machine.
AGENTS = ["dashboard-agent-grpc-port", "dashboard-agent-listen-port", "runtime-env-agent-port", "metrics-export-port"]


def start(arguments, before=()):
    """Starts a node: again, if it ends at once because the machine is busy."""
    nodes.append(None)
    for _ in range(TRIES):
        nodes[-1] = begin(arguments, before)
        if alive(1 + sum(node.poll() is None for node in nodes[:-1])):
            return
    raise SystemExit(open(nodes[-1].log).read())


def begin(arguments, before):
    name, value = MARK.split("=")
    environment = {
        **os.environ,
        name: value,
        "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        "RAY_DISABLE_USAGE_STATS": "1",
        "RAY_enable_open_telemetry": "0",
        "RAY_memory_monitor_refresh_ms": "0",
        # The machine may be busy.
        "RAY_raylet_start_wait_time_s": "60",
        "RAY_agent_register_timeout_ms": "240000",
    }
    environment.pop("RAY_ADDRESS", None)
    if dashboard == "0":
        # As if the package was installed without what only a dashboard needs: the agents of nodes start faster.
        without = os.path.join(temporary, "without")
        os.makedirs(without, exist_ok=True)
        with open(os.path.join(without, "aiohttp_cors.py"), "w") as module:
            module.write("raise ModuleNotFoundError\n")
        environment["PYTHONPATH"] = without
    log = open(os.path.join(temporary, f"node{len(nodes)}.log"), "w")
    agents = [f"--{name}={free_port()}" for name in AGENTS]
    command = [*before, RAY, "start", "--block", "--object-store-memory=100000000", "--include-log-monitor=false", *agents, *arguments]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    process.log = log.name
    return process


def alive(wanted):
    """Waits until so many nodes are there; false if the one that was just started has ended."""
    deadline = time.time() + PATIENCE
    while nodes[-1].poll() is None and time.time() < deadline:
        try:
            with socket.create_connection(ADDRESS.split(":"), 1):
                pass
            ray.init(ADDRESS, log_to_driver=False, logging_level="ERROR")
        except Exception:
            time.sleep(0.3)
            continue
        try:
            if sum(node["Alive"] for node in ray.nodes()) >= wanted:
                return True
        finally:
            ray.shutdown()
        time.sleep(0.3)
    return False


def say(**message):
    print(json.dumps(message), flush=True)


def of_cluster():
    """The processes of the cluster, by the mark that all of them have in their environment."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if MARK.encode() in environment.read().split(b"\0"):
                    yield int(pid)
        except OSError:
            pass


def raylet(of):
    """The raylet below a process."""
    for pid in of_cluster():
        try:
            with open(f"/proc/{pid}/stat") as stat:
                name, _, rest = stat.read().partition("(")[2].rpartition(")")
            parent = int(rest.split()[1])
        except OSError:
            continue
        if name == "raylet" and parent == of.pid:
            return pid
    raise SystemExit(f"process {of.pid} has no raylet")


def main():
    with_dashboard = ["--include-dashboard=true", f"--dashboard-port={dashboard}"] if dashboard != "0" else ["--include-dashboard=false"]
    start(["--head", f"--port={port}", f"--num-cpus={cpus[0]}", f"--temp-dir={temporary}", "--no-monitor", *with_dashboard])
    for number in cpus[1:]:
        start([f"--address={ADDRESS}", f"--num-cpus={number}"])
    say(address=ADDRESS)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "kill":
            pid = raylet(nodes[int(arguments[0])])
            os.kill(pid, signal.SIGKILL)
            nodes[int(arguments[0])].wait()
            say(killed=pid)
        elif command == "add":
            start([f"--address={ADDRESS}", f"--num-cpus={arguments[0]}"])
            say(nodes=len(nodes))
        elif command == "hide":
            hide = f'mount -t tmpfs none "{arguments[1]}" && exec "$@"'
            start(
                [f"--address={ADDRESS}", f"--num-cpus={arguments[0]}"],
                ["unshare", "-m", "sh", "-c", hide, "sh"],
            )
            say(nodes=len(nodes))


try:
    main()
finally:
    # Twice: one that was just being started may have been missed.
    for _ in range(2):
        for pid in list(of_cluster()):
            if pid != os.getpid():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        time.sleep(0.2)
    shutil.rmtree(temporary, ignore_errors=True)
