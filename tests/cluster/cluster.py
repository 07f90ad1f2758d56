"""A Ray cluster on this machine, for as long as standard input is open: cluster.py TEMPORARY PORT DASHBOARD CPUS…

The first of CPUS is the head. Prints a line of JSON when all nodes are there, and one after each command:
`kill N` ends the raylet of node N, `add CPUS` adds a node, `heal` makes the nodes those that it began with, `gcs` ends what knows all nodes,
`pending` counts the actors that wait for room.

All that the cluster writes is in TEMPORARY, which goes with it. As root, the nodes have a mount namespace of their own: what djhost carries to them is
in memory there, `full` takes what room is left for that and `roomy` gives it back, and TEMPORARY/unseen is empty to them.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

IS_ROOT = os.getuid() == 0
# Also here: a token that this user has would be sent, or demanded.
os.environ["RAY_AUTH_MODE"] = "disabled"
if IS_ROOT and "DJHOST_TEST_CLUSTER" not in os.environ:
    # What is mounted for nodes is mounted for them alone.
    os.environ["DJHOST_TEST_CLUSTER"] = "being started"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])

import ray

temporary, port, dashboard, *cpus = sys.argv[1:]
# Ray takes this for 127.0.0.1, too.
ADDRESS = f"{ray.util.get_node_ip_address()}:{port}"
MARK = f"DJHOST_TEST_CLUSTER={os.getpid()}-{port}"
RAY = os.path.join(os.path.dirname(sys.executable), "ray")
# What djhost carries to nodes.
CARRIED = f"/tmp/djhost-{os.getuid()}"
UNSEEN = os.path.join(temporary, "unseen")
# How much of that there may be, in bytes.
ROOM = 2 << 30
# How often a node is started that ends at once, and how long one may take, on a machine that is very busy.
TRIES = 4
PATIENCE = 300


class Node:
    """How a node is started, and the `ray start` that does."""

    def __init__(self, arguments):
        self.arguments, self.process = arguments, None

    def is_up(self):
        return self.process is not None and self.process.poll() is None


nodes = []


def free_port():
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


# With fixed ports a raylet waits for fewer of its agents: it ends if one takes 20 s to start, as on a busy machine.
AGENTS = ["dashboard-agent-grpc-port", "dashboard-agent-listen-port", "runtime-env-agent-port", "metrics-export-port"]


def add(arguments):
    nodes.append(Node(arguments))
    start(len(nodes) - 1)


def start(number):
    """Starts a node: again, if it ends at once because the machine is busy."""
    before = known() if number else set()
    for _ in range(TRIES):
        log = begin(number)
        deadline = time.time() + PATIENCE
        while nodes[number].is_up():
            if known() - before:
                return
            if time.time() > deadline:
                raise SystemExit(f"node {number} does not start: {open(log).read()}")
            time.sleep(0.3)
    raise SystemExit(open(log).read())


def begin(number):
    node = nodes[number]
    name, value = MARK.split("=")
    environment = {
        **os.environ,
        name: value,
        "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        "RAY_AUTH_MODE": "disabled",
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
    log = os.path.join(temporary, f"node{number}.log")
    agents = [f"--{name}={free_port()}" for name in AGENTS]
    command = [RAY, "start", "--block", "--object-store-memory=100000000", "--include-log-monitor=false", *agents, *node.arguments]
    with open(log, "w") as output:
        node.process = subprocess.Popen(
            command, cwd=temporary, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    return log


def known():
    """The nodes that the cluster knows; none if it does not answer."""
    try:
        with socket.create_connection(ADDRESS.split(":"), 1):
            pass
        ray.init(ADDRESS, log_to_driver=False, logging_level="ERROR")
    except Exception:
        return set()
    try:
        return {node["NodeID"] for node in ray.nodes() if node["Alive"]}
    finally:
        ray.shutdown()


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


def process_of(node, wanted):
    """The process of this name below the `ray start` of a node."""
    for pid in of_cluster():
        try:
            with open(f"/proc/{pid}/stat") as stat:
                name, _, rest = stat.read().partition("(")[2].rpartition(")")
            parent = int(rest.split()[1])
        except OSError:
            continue
        if name == wanted and parent == node.process.pid:
            return pid
    raise SystemExit(f"process {node.process.pid} has no {wanted}")


def end(node, name):
    """Ends a process of a node, and so the node: `ray start --block` ends with each of its processes."""
    os.kill(process_of(node, name), signal.SIGKILL)
    node.process.wait()


def limit(size):
    """Sets how much room there is for what djhost carries to nodes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", CARRIED], check=True)


def pending():
    """How many actors wait for room, as an autoscaler is told."""
    from ray.autoscaler.v2.sdk import get_cluster_status

    demand = get_cluster_status(ADDRESS).resource_demands.ray_task_actor_demand
    return sum(each.count for one in demand for each in one.bundles_by_count)


def obey(command, arguments):
    if command == "kill":
        end(nodes[int(arguments[0])], "raylet")
    elif command == "gcs":
        end(nodes[0], "gcs_server")
    elif command == "pending":
        return {"pending": pending()}
    elif command == "add":
        add([f"--address={ADDRESS}", f"--num-cpus={arguments[0]}"])
    elif command == "heal":
        for node in nodes[len(cpus) :]:
            if node.is_up():
                end(node, "raylet")
        del nodes[len(cpus) :]
        if IS_ROOT:
            limit(ROOM)
        for number, node in enumerate(nodes):
            if not node.is_up():
                start(number)
    elif command == "full":
        found = os.statvfs(CARRIED)
        # 0 would be no limit at all.
        limit(max(found.f_blocks - found.f_bfree, 1) * found.f_frsize)
    elif command == "roomy":
        limit(ROOM)
    return {"nodes": len(nodes)}


def main():
    if IS_ROOT:
        os.mkdir(UNSEEN)
        os.makedirs(CARRIED, 0o700, exist_ok=True)
        for path in [UNSEEN, CARRIED]:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0700", "none", path], check=True)
    with_dashboard = ["--include-dashboard=true", f"--dashboard-port={dashboard}"] if dashboard != "0" else ["--include-dashboard=false"]
    add(["--head", f"--port={port}", f"--num-cpus={cpus[0]}", f"--temp-dir={temporary}", "--no-monitor", *with_dashboard])
    for number in cpus[1:]:
        obey("add", [number])
    say(address=ADDRESS)
    for line in sys.stdin:
        command, *arguments = line.split()
        say(**obey(command, arguments))


# What ends this process ends the cluster.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
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
    if IS_ROOT:
        subprocess.run(["umount", "--lazy", UNSEEN])
    shutil.rmtree(temporary, ignore_errors=True)
