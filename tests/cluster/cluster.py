"""A Ray cluster on this machine, for as long as standard input is open: cluster.py TEMPORARY PORT DASHBOARD CPUS…

The first of CPUS is the head. Prints a line of JSON when all nodes are there, and one after each command:
`lost PID` waits until the `ray start` ends whose raylet was killed, `add CPUS` adds a node, `heal` makes the nodes those that it began with,
`gcs` ends what knows all nodes, `pending` counts the actors that wait for room. As root, `apart CPUS` adds a node with a network of its own, and tells its number; `cut N` takes
the link to it away, `mend N` gives it back.

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
from ray._raylet import GcsClient
from ray.core.generated.gcs_pb2 import GcsNodeInfo

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

    def __init__(self, arguments, network=None):
        self.arguments, self.process, self.network, self.starts = arguments, None, network, 0

    def is_up(self):
        return self.process is not None and self.process.poll() is None


class Network:
    """A network with one machine in it, and a link from here to that. It is there as long as a process is in it."""

    def __init__(self, number):
        # Of the range that is for trying out networks, another one for each cluster of this machine.
        below = f"198.18.{os.getpid() % 256}"
        self.here, self.address = f"{below}.{4 * number + 1}", f"{below}.{4 * number + 2}"
        self.link, inside = f"djh{os.getpid()}-{number}", f"djn{os.getpid()}-{number}"
        self.keeper = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], env=marked(), stdin=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.keeper.pid}/ns/net") == own:
            time.sleep(0.01)
        self.enter = ["nsenter", "-t", str(self.keeper.pid), "-n"]
        ip("link", "add", self.link, "type", "veth", "peer", "name", inside, "netns", str(self.keeper.pid))
        ip("addr", "add", f"{self.here}/30", "dev", self.link)
        ip("link", "set", self.link, "up")
        ip("link", "set", "lo", "up", within=self)
        ip("addr", "add", f"{self.address}/30", "dev", inside, within=self)
        ip("link", "set", inside, "up", within=self)
        ip("route", "add", "default", "via", self.here, within=self)

    def set(self, state):
        ip("link", "set", self.link, state)

    def end(self):
        self.keeper.kill()
        self.keeper.wait()


def ip(*arguments, within=None):
    enter = within.enter if within else []
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    try:
        subprocess.run([*enter, "ip", *arguments], check=True, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise SystemExit(f"nodes with a network of their own need `ip`, of the package iproute2: {error}")


nodes = []


def free_port():
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


# With fixed ports a raylet waits for fewer of its agents: it ends if one takes 20 s to start, as on a busy machine.
AGENTS = ["dashboard-agent-grpc-port", "dashboard-agent-listen-port", "runtime-env-agent-port", "metrics-export-port"]


def marked():
    """The environment of what belongs to the cluster."""
    name, value = MARK.split("=")
    return {**os.environ, name: value}


def add(*several, network=None):
    """Adds a node for each of several lists of arguments."""
    first = len(nodes)
    nodes.extend(Node(arguments, network) for arguments in several)
    start(range(first, len(nodes)))


def start(numbers):
    """Starts nodes side by side: one again that ends at once because the machine is busy."""
    if not numbers:
        return
    before = known() if 0 not in numbers else set()
    tries = {number: TRIES for number in numbers}
    deadline = time.time() + PATIENCE
    while True:
        for number, left in tries.items():
            log = os.path.join(temporary, f"node{number}.log")
            if not nodes[number].is_up():
                if not left:
                    raise SystemExit(open(log).read())
                tries[number] -= 1
                begin(number, log)
            elif time.time() > deadline:
                raise SystemExit(f"node {number} does not start: {open(log).read()}")
        if len(known() - before) >= len(tries):
            return
        time.sleep(0.3)


def begin(number, log):
    node = nodes[number]
    environment = {
        **marked(),
        "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        "RAY_AUTH_MODE": "disabled",
        "RAY_DISABLE_USAGE_STATS": "1",
        "RAY_enable_open_telemetry": "0",
        "RAY_memory_monitor_refresh_ms": "0",
        # Not behind what else this machine does: what they do is waited for.
        "RAY_worker_niceness": "0",
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
    # Nodes that are started at once may take each other's sockets if these are in one directory.
    node.starts += 1
    own = os.path.join(temporary, f"{number}.{node.starts}")
    agents = [f"--temp-dir={own}", *(f"--{name}={free_port()}" for name in AGENTS)]
    enter = node.network.enter if node.network else []
    # Room for the program that jobs carry: what has none is written to the disk, by a Python that Ray starts for that.
    command = [*enter, RAY, "start", "--block", "--object-store-memory=400000000", "--include-log-monitor=false", *agents, *node.arguments]
    with open(log, "w") as output:
        node.process = subprocess.Popen(
            command, cwd=temporary, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def known():
    """The nodes that the cluster knows; none if it does not answer."""
    try:
        with socket.create_connection(ADDRESS.split(":"), 1):
            pass
        # Not as a driver, for which nodes would start processes.
        found = GcsClient(address=ADDRESS).get_all_node_info(timeout=5)
    except Exception:
        return set()
    return {node for node, about in found.items() if about.state == GcsNodeInfo.ALIVE}


def wait_for_nodes(number):
    deadline = time.time() + PATIENCE
    while len(known()) != number:
        if time.time() > deadline:
            raise SystemExit(f"the cluster does not have {number} nodes")
        time.sleep(0.3)


def wait_for_dashboard():
    """A node is known before its dashboard takes requests."""
    deadline = time.time() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", int(dashboard)), 1).close()
            return
        except OSError:
            if time.time() > deadline:
                raise SystemExit("the dashboard does not start") from None
            time.sleep(0.3)


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
    if command == "lost":
        for node in nodes:
            if node.process.pid == int(arguments[0]):
                node.process.wait()
    elif command == "gcs":
        end(nodes[0], "gcs_server")
    elif command == "pending":
        return {"pending": pending()}
    elif command == "add":
        add([f"--address={ADDRESS}", f"--num-cpus={arguments[0]}"])
    elif command == "apart":
        if not IS_ROOT:
            return {"node": None}
        network = Network(len(nodes))
        add([f"--address={ADDRESS}", f"--node-ip-address={network.address}", f"--num-cpus={arguments[0]}"], network=network)
        return {"node": len(nodes) - 1}
    elif command == "cut":
        nodes[int(arguments[0])].network.set("down")
    elif command == "mend":
        nodes[int(arguments[0])].network.set("up")
    elif command == "heal":
        apart = [node.network for node in nodes[len(cpus) :] if node.network]
        for network in apart:
            # So that the others see at once that the node has gone.
            network.set("up")
        for node in nodes[len(cpus) :]:
            if node.is_up():
                end(node, "raylet")
        del nodes[len(cpus) :]
        if apart:
            wait_for_nodes(sum(node.is_up() for node in nodes))
        for network in apart:
            network.end()
        if IS_ROOT:
            limit(ROOM)
        start([number for number, node in enumerate(nodes) if not node.is_up()])
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
    add(["--head", f"--port={port}", f"--num-cpus={cpus[0]}", "--no-monitor", *with_dashboard])
    add(*([f"--address={ADDRESS}", f"--num-cpus={number}"] for number in cpus[1:]))
    if dashboard != "0":
        wait_for_dashboard()
    say(address=ADDRESS, head=nodes[0].process.pid)
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
