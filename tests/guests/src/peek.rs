//! Looks for any trace of the outside world.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

/// Everything that was found, as one line. `text` of the first row may name a port to connect to,
/// as `port=12345`.
pub(crate) fn report(text: &str) -> String {
    let port: u16 = text
        .split("port=")
        .nth(1)
        .and_then(|p| p.split_whitespace().next())
        .and_then(|p| p.parse().ok())
        .unwrap_or(1);
    let opened = |path: &str| std::fs::File::open(path).is_ok();
    let files = [
        "/",
        ".",
        "/etc/passwd",
        "/proc/self/environ",
        "../../../../etc/passwd",
    ]
    .iter()
    .filter(|p| opened(p))
    .count();
    let written = ["/tmp/rogue", "rogue", "./rogue"]
        .iter()
        .filter(|p| std::fs::write(p, b"x").is_ok())
        .count();
    let listed = ["/", "."]
        .iter()
        .filter(|p| std::fs::read_dir(p).is_ok())
        .count();
    let mut input = String::new();
    let _ = std::io::Read::read_to_string(&mut std::io::stdin(), &mut input);
    let tcp = TcpStream::connect(("127.0.0.1", port)).is_ok();
    let listen = TcpListener::bind("127.0.0.1:0").is_ok();
    let udp = UdpSocket::bind("0.0.0.0:0")
        .and_then(|s| s.send_to(b"x", ("127.0.0.1", port)))
        .is_ok();
    let lookup = "localhost:80".to_socket_addrs().map_or(0, Iterator::count);
    let today = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(3600));
    let slept = start.elapsed().as_secs();
    format!(
        "env={} args={} files={files} written={written} listed={listed} stdin={} tcp={tcp} listen={listen} udp={udp} lookup={lookup} \
         today={today} slept={slept} random={}",
        std::env::vars_os().count(),
        std::env::args_os().count(),
        input.len(),
        random(),
    )
}

/// A random number.
pub(crate) fn random() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// All variables of the environment.
pub(crate) fn variables() -> String {
    let mut all: Vec<String> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.sort();
    all.join(" ")
}
