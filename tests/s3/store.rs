//! The store: moto's server, one for all tests, which ends with them.

use crate::python::Package;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

const MOTO: Package = Package {
    name: "moto",
    install: &["moto[server]==5.2.5"],
    works: "import moto.server",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

/// Ends once its standard input does, that is, with the tests.
const SERVER: &str = "\
import os, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
os._exit(0)
";

struct Running {
    port: u16,
    _server: Child,
}

static SERVER_PORT: LazyLock<Running> = LazyLock::new(|| {
    let mut server = Command::new(MOTO.python())
        .args(["-c", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    Running {
        port: line.trim().parse().unwrap(),
        _server: server,
    }
});

/// The store's port.
pub(crate) fn server_port() -> u16 {
    SERVER_PORT.port
}

/// The Python that the store runs in.
pub(crate) fn python() -> PathBuf {
    MOTO.python()
}

/// Moto looks at nothing of it but the name, and refuses strangers.
const AUTHORIZATION: &str = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Makes a request; returns the status and the reply.
pub(crate) fn ask(method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", SERVER_PORT.port)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{AUTHORIZATION}\r\nContent-Length: {}\r\n\r\n",
        SERVER_PORT.port,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&reply[9..12]).unwrap().parse().unwrap();
    (status, reply.split_off(end + 4))
}

/// Sends a request to the store; returns the reply as it is.
pub(crate) fn forward(head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", SERVER_PORT.port)).unwrap();
    stream
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .unwrap();
    stream.write_all(body).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    reply
}

/// A bucket of a test's own, and a directory to run in.
pub(crate) struct Bucket {
    pub(crate) name: String,
    dir: TempDir,
}

impl Bucket {
    pub(crate) fn new(name: &str) -> Self {
        assert_eq!(ask("PUT", &format!("/{name}"), b"").0, 200);
        Self {
            name: name.to_owned(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn put(&self, key: &str, body: impl AsRef<[u8]>) {
        let path = format!("/{}/{}", self.name, key.replace(' ', "%20"));
        assert_eq!(ask("PUT", &path, body.as_ref()).0, 200);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `djhost run` on the recipe, of which `BUCKET` is replaced, and `--work_dir work --job_id job`.
    pub(crate) fn run(&self, recipe: &str) -> Output {
        self.run_with(recipe, &[])
    }

    pub(crate) fn run_with(&self, recipe: &str, env: &[(&str, &str)]) -> Output {
        self.command(recipe, env).output().unwrap()
    }

    /// Like [`Self::run`], with the store at another port.
    pub(crate) fn run_at(&self, recipe: &str, port: u16) -> Output {
        let url = format!("http://127.0.0.1:{port}");
        self.run_with(recipe, &[("AWS_ENDPOINT_URL", &url)])
    }

    pub(crate) fn command(&self, recipe: &str, env: &[(&str, &str)]) -> Command {
        let mut command = self.command_in("work", recipe, env);
        command.arg("--quiet");
        command
    }

    /// Like [`Self::command`], with another `work_dir`, of which `BUCKET` is replaced, too.
    pub(crate) fn command_in(&self, work: &str, recipe: &str, env: &[(&str, &str)]) -> Command {
        let place = format!("s3://{}", self.name);
        std::fs::write(self.path("recipe.yaml"), recipe.replace("BUCKET", &place)).unwrap();
        let work = work.replace("BUCKET", &place);
        let mut command = self.djhost(&["run", "recipe.yaml", "--np", "2"], env);
        command.args(["--work_dir", &work, "--job_id", "job"]);
        command
    }

    /// Any command, of which `BUCKET` is replaced.
    pub(crate) fn djhost(&self, args: &[&str], env: &[(&str, &str)]) -> Command {
        let place = format!("s3://{}", self.name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args(args.iter().map(|arg| arg.replace("BUCKET", &place)))
            .current_dir(self.dir.path())
            .env("DJHOST_CACHE_DIR", cache())
            .env("HOME", self.dir.path())
            .env("NO_PROXY", "127.0.0.1")
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", SERVER_PORT.port),
            )
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2")
            .env("AWS_REGION", "us-east-1")
            .env("DJHOST_TEST_RETRIES", "2")
            .envs(env.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// Like [`Self::run`]; the result, which must be in `out/result.jsonl`.
    #[track_caller]
    pub(crate) fn result(&self, recipe: &str) -> Vec<u8> {
        let output = self.run(recipe);
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::read(self.path("out/result.jsonl")).unwrap()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn cache() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"))
}
