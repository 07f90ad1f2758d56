"""Carries lines between djhost and its workers on a Ray cluster, and says who is alive. It knows nothing of tasks.

djhost starts it and speaks to it by JSON lines: exec/workers/README.md, "The bridge to Ray".
"""

import os
import sys

# Ray prints to standard output: the lines get a descriptor of their own before it is imported.
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
if sys.path and sys.path[0] == "":
    # What lies in the working directory is no module.
    del sys.path[0]
os.environ.setdefault("RAY_DISABLE_USAGE_STATS", "1")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")

import asyncio
import hashlib
import json
import socket
import threading
import time

# How long a worker waits for lines before it answers that there are none: its sign of life.
POLL = 2.0
# How long an actor may take to end its process, in seconds.
MOMENT = 1.0
# How often it is looked whether workers wait for room, in seconds.
LOOK = 10.0


def say(**message):
    OUT.write(json.dumps(message) + "\n")
    OUT.flush()


def fail(what, detail):
    say(failed={"what": what, "detail": " ".join(str(detail).split())[:2000]})
    OUT.flush()
    os._exit(0)


def first_line():
    """The first line of standard input, and not a byte more."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


def use_token_of(address):
    """Lets Ray send this user's token to the cluster that `ray start` has begun on this machine: by itself it sends the token only if it finds
    that cluster without an address, and such clusters demand it. Another cluster gets it if `RAY_AUTH_MODE=token` is set. Before Ray is imported."""
    root = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    own = os.path.expanduser("~/.ray/auth_token")
    try:
        with open(os.path.join(root, "ray", "ray_current_cluster")) as file:
            is_own = file.read().strip() == address
    except OSError:
        return
    if is_own and (os.path.exists(own) or "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def forget_environment_of_job():
    """A driver that was submitted has a package of its own, which no worker needs to unpack."""
    name = "RAY_JOB_CONFIG_JSON_ENV_VAR"
    try:
        config = json.loads(os.environ[name])
        config.pop("runtime_env", None)
        os.environ[name] = json.dumps(config)
    except (KeyError, ValueError, AttributeError):
        pass


def own_directory(path):
    """Makes a directory that nobody else can write to, or refuses the one that is there."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(path)
    import stat

    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OSError(f"`{path}` is not a directory of this user alone (mode 0700): remove it there")
    return path


def digest(path):
    """The SHA-256 of a file; None if there is none, or it is a link."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    total = hashlib.sha256()
    with os.fdopen(handle, "rb") as file:
        while part := file.read(1 << 20):
            total.update(part)
    return total.hexdigest()


def put(path, content, mode):
    """Puts a file to its place, whole or not at all."""
    temporary = f"{path}.{os.getpid()}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


class Worker:
    """One djhost process at a time on a node; it dies with this actor."""

    def __init__(self):
        self.lock = threading.Lock()
        self.heard = None

    async def begin(self, worker, files, arguments, environment, silence):
        """Starts to start the process of a worker, the first one or one after another: `recv` tells what comes of it."""
        self.worker = worker
        self.loop = asyncio.get_running_loop()
        self.news = asyncio.Event()
        self.process = None
        self.out, self.err, self.code, self.refused = [], [], None, None
        self.next, self.early = 0, {}
        is_first = self.heard is None
        self.heard, self.silence = self.loop.time(), silence
        self.starting = asyncio.ensure_future(self.start(files, arguments, environment))
        if is_first:
            threading.Thread(target=self.watch, daemon=True).start()
        return {"host": os.uname().nodename, "node": _node()}

    async def start(self, files, arguments, environment):
        at = f"node `{os.uname().nodename}`"
        try:
            home = own_directory(f"/tmp/djhost-{os.getuid()}")
            program = None
            for file in files:
                path = home
                *above, name = file["at"].split("/")
                for part in above:
                    path = own_directory(f"{path}/{part}")
                path = f"{path}/{name}"
                if await self.loop.run_in_executor(None, digest, path) != file["sha256"]:
                    content = await file["content"]
                    try:
                        await self.loop.run_in_executor(None, put, path, content, file["mode"])
                    except OSError as error:
                        raise OSError(f"cannot write `{path}`: {error.strerror or error}") from None
                if file["runs"]:
                    program = path
            environment = {**os.environ, **environment, "DJHOST_CACHE_DIR": f"{home}/cache", "DJHOST_CARRIED": home}
            self.spawn([program, *arguments], environment)
        except Exception as error:
            self.refused = f"{at}: {error}"
        self.news.set()

    def spawn(self, command, environment):
        import ctypes
        import signal
        import subprocess

        libc = ctypes.CDLL(None)

        def die_with_parent():
            libc.prctl(1, signal.SIGKILL)

        # Not in a thread of a pool: the process is to live as long as the thread that starts it.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        errors = threading.Thread(target=self.read, args=(self.process.stderr, self.err), daemon=True)
        errors.start()
        threading.Thread(target=self.follow, args=(errors,), daemon=True).start()

    def read(self, stream, lines):
        """Takes what has come as a whole, for one answer of `recv`."""
        rest = b""
        while part := stream.read1(1 << 20):
            *whole, rest = (rest + part).split(b"\n")
            if whole:
                with self.lock:
                    lines.extend(line.decode(errors="replace") for line in whole)
                self.wake()
        if rest:
            with self.lock:
                lines.append(rest.decode(errors="replace"))
            self.wake()

    def follow(self, errors):
        self.read(self.process.stdout, self.out)
        errors.join(2)
        code = self.process.wait()
        with self.lock:
            self.code = code
        self.wake()

    async def end(self, worker):
        """Ends the process of a worker, as `recv` tells then."""
        if worker == self.worker and self.process:
            self.process.kill()
            await self.loop.run_in_executor(None, self.process.wait)

    def wake(self):
        self.loop.call_soon_threadsafe(self.news.set)

    def watch(self):
        """Ends the process if nobody asks for its lines any more: another one has its tasks by now."""
        while self.loop.time() - self.heard < self.silence + POLL:
            time.sleep(1)
        if self.process:
            self.process.kill()
        os._exit(1)

    async def send(self, worker, number, lines):
        """Lines for the process of a worker. Calls may overtake each other, so they have numbers."""
        if worker != self.worker:
            return
        self.early[number] = lines
        while self.next in self.early:
            lines = self.early.pop(self.next)
            self.next += 1
            try:
                self.process.stdin.write("".join(line + "\n" for line in lines).encode())
                self.process.stdin.flush()
            except OSError:
                pass  # It has ended, as `recv` tells.

    async def recv(self):
        """What the process has said, at the latest after a while."""
        self.heard = self.loop.time()
        if not (self.out or self.err or self.refused or self.code is not None):
            try:
                await asyncio.wait_for(self.news.wait(), POLL)
            except asyncio.TimeoutError:
                pass
        self.news.clear()
        with self.lock:
            said = {"out": self.out[:], "err": self.err[:], "code": self.code}
            self.out.clear()
            self.err.clear()
        said["refused"], said["pid"] = self.refused, self.process and self.process.pid
        return said


def _node():
    import ray

    return ray.get_runtime_context().get_node_id()


def refusal(address):
    """Why nobody answers at an address; None: somebody does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 5).close()
    except OSError as error:
        return error
    return None


class Bridge:
    def __init__(self, ray):
        self.ray = ray
        self.workers, self.tending, self.waiting, self.ending = {}, set(), set(), set()
        self.serial, self.want = 0, 0

    def open(self, address):
        self.address = address
        if error := refusal(address):
            fail("unreachable", error)
        forget_environment_of_job()
        try:
            self.ray.init(address=address, namespace="djhost", log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except Exception as error:
            fail("unreachable", f"{type(error).__name__}: {error}")
        say(cluster={"ray": self.ray.__version__, "nodes": self.nodes()})

    def nodes(self):
        return [
            {"host": node.get("NodeManagerHostname", ""), "cpus": node["Resources"].get("CPU", 0)}
            for node in self.ray.nodes()
            if node["Alive"]
        ]

    def start(self, how):
        """Takes what all workers are started with; the content goes to the object store once."""
        self.files = []
        for file in how["files"]:
            with open(file["path"], "rb") as opened:
                content = opened.read()
            sha256 = hashlib.sha256(content).hexdigest()
            self.files.append(
                {
                    "at": file["at"] or sha256,
                    "mode": 0o700 if file["runs"] else 0o600,
                    "runs": file["runs"],
                    "sha256": sha256,
                    "content": self.ray.put(content),
                }
            )
        self.how, self.want = how, how["workers"]
        options = {
            "num_cpus": how["cpus"],
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": 16,
            "scheduling_strategy": "SPREAD",
        }
        if how["memory"]:
            options["memory"] = how["memory"]
        self.actor = self.ray.remote(**options)(Worker)
        threading.Thread(target=self.watch_head, daemon=True).start()

    def watch_head(self):
        """Ends the bridge if there is no worker, and the head of the cluster, without which none can start, does not answer. Ray itself waits for
        a minute, and its calls do so long. Workers that are at work go on without the head."""
        silence, heard = self.how["silence"], time.monotonic()
        while True:
            time.sleep(1)
            if self.workers or not refusal(self.address):
                heard = time.monotonic()
            elif time.monotonic() - heard > silence:
                print(f"no worker is left, and the head of the cluster, {self.address}, has not answered for {silence} s", file=sys.stderr, flush=True)
                # For djhost to read it before this ends.
                time.sleep(0.5)
                os._exit(1)

    async def tend(self, worker):
        """Follows a worker to its end, and those that take its place in the same actor: a process starts in a moment, an actor in seconds. Returns
        whether the last one was up."""
        actor = self.actor.remote()
        # The first one waits for as long as the cluster has no room, and an autoscaler sees that it does.
        is_up, goes_on = await self.follow(worker, actor, None)
        while goes_on:
            self.serial += 1
            is_up, goes_on = await self.follow(self.serial, actor, POLL + self.how["silence"])
        return is_up

    async def follow(self, worker, actor, patience):
        """Has an actor start the process of a worker, and follows that to its end; `patience`: how long the actor may take to begin. Returns
        whether it was up, and whether the actor is to start another one: not if it has ended without a word, which may be due to the node."""
        silence = self.how["silence"]
        why, detail, code, is_up, has_spoken = "lost", "", None, False, False
        mine = {"actor": actor, "sent": 0}
        faults = self.how["faults"]
        environment = dict(self.how["env"])
        if worker <= len(faults) and faults[worker - 1]:
            environment["DJHOST_TEST_FAULT"] = faults[worker - 1]
        try:
            begun = actor.begin.remote(worker, self.files, self.how["arguments"], environment, silence)
            about = await asyncio.wait_for(begun, patience)
            self.waiting.discard(worker)
            while True:
                said = await asyncio.wait_for(actor.recv.remote(), POLL + silence)
                if not is_up and said["pid"]:
                    is_up = True
                    self.workers[worker] = mine
                    say(up={"worker": worker, "pid": said["pid"], **about})
                has_spoken = has_spoken or bool(said["out"])
                for name in ("err", "out"):
                    if said[name]:
                        say(**{name: {"worker": worker, "lines": said[name]}})
                if said["refused"]:
                    why, detail = "refused", said["refused"]
                    break
                if said["code"] is not None and not said["out"]:
                    why, code = "exited", said["code"]
                    break
        except asyncio.TimeoutError:
            why = "silent"
        except asyncio.CancelledError:
            why = "ended"
        except Exception as error:
            detail = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
        self.waiting.discard(worker)
        self.workers.pop(worker, None)
        goes_on = why == "exited" and has_spoken and len(self.tending) <= self.want
        if not goes_on:
            try:
                self.ray.kill(actor)
            except Exception:
                pass
        say(down={"worker": worker, "why": why, "detail": detail, "code": code})
        return is_up, goes_on

    async def end(self, worker, actor):
        """Ends the process of a worker, and its actor if that cannot do it at once: `follow` sees either."""
        try:
            await asyncio.wait_for(actor.end.remote(worker), MOMENT)
        except Exception:
            self.ray.kill(actor)

    def hire(self):
        while len(self.tending) < self.want:
            self.serial += 1
            self.waiting.add(self.serial)
            task = asyncio.ensure_future(self.tend(self.serial))
            self.tending.add(task)
            task.add_done_callback(self.replace)

    def replace(self, task):
        """One that has worked is replaced at once, others by and by."""
        self.tending.discard(task)
        if not task.cancelled() and task.exception() is None and task.result():
            self.hire()

    async def keep(self):
        """Replaces workers that have gone, and says if some wait for room."""
        looked = asyncio.get_running_loop().time()
        while True:
            self.hire()
            await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            if now - looked >= LOOK:
                looked = now
                if self.waiting:
                    loop = asyncio.get_running_loop()
                    total = await loop.run_in_executor(None, self.ray.cluster_resources)
                    free = await loop.run_in_executor(None, self.ray.available_resources)
                    say(
                        waiting={
                            "workers": len(self.waiting),
                            "cpus": len(self.waiting) * self.how["cpus"],
                            "total": total.get("CPU", 0),
                            "free": free.get("CPU", 0),
                        }
                    )

    def send(self, worker, line):
        if worker in self.workers:
            to = self.workers[worker]
            to["actor"].send.remote(worker, to["sent"], [line])
            to["sent"] += 1

    async def run(self, address):
        loop = asyncio.get_running_loop()
        lines = asyncio.StreamReader(limit=1 << 28)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        self.open(address)
        keeper = None
        # The end of the input is the end of djhost.
        while line := await lines.readline():
            message = json.loads(line)
            if message == "end":
                break
            ((name, value),) = message.items()
            if name == "to":
                self.send(value["worker"], value["line"])
            elif name == "start":
                self.start(value)
                keeper = asyncio.ensure_future(self.keep())
            elif name == "kill":
                if value in self.workers:
                    task = asyncio.ensure_future(self.end(value, self.workers[value]["actor"]))
                    self.ending.add(task)
                    task.add_done_callback(self.ending.discard)
            elif name == "want":
                self.want = value
        if keeper:
            keeper.cancel()
        self.want = 0
        for task in list(self.tending):
            task.cancel()
        await asyncio.gather(*self.tending, return_exceptions=True)
        self.ray.shutdown()


def main(oldest):
    address = json.loads(first_line())["open"]["address"]
    use_token_of(address)
    try:
        import ray
    except ImportError as error:
        fail("missing", f"{error} ({sys.executable})")
    if tuple(int(part) for part in ray.__version__.split(".")[:2]) < oldest:
        fail("old", ray.__version__)
    asyncio.run(Bridge(ray).run(address))


main(tuple(int(part) for part in sys.argv[1].split(".")))
