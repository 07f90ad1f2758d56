//! The page of a job while it runs, for `djhost monitor --web`.
//!
//! Only this machine can reach it (127.0.0.1), only with the token in the address, and it changes
//! nothing. Other users of the machine, and pages from elsewhere in the same browser, do not have the
//! token; a name that was made to point to 127.0.0.1 is refused by its `Host`.

mod http;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::document::Document;
use super::html::{Page, policy};
use crate::error::UserError;
use http::{Answer, Request};

/// Connections at a time; more are closed unheard.
const CONNECTIONS: usize = 16;
/// How often a page asks.
const REFRESH: Duration = Duration::from_secs(2);
/// How long the data stays as it is, whoever asks.
const FRESH: Duration = Duration::from_secs(1);

/// Makes the description that is served.
pub type Describe<'a> = dyn Fn() -> Result<Document> + Sync + 'a;

/// The same for a job that does not run: all that is known of its rows takes longer.
const REST: Duration = Duration::from_secs(30);

/// A page that is served.
pub struct Server<'a> {
    listener: TcpListener,
    port: u16,
    token: String,
    describe: &'a Describe<'a>,
    last: Mutex<Option<(Instant, Document)>>,
    connections: AtomicUsize,
}

impl<'a> Server<'a> {
    /// Listens on `port` of 127.0.0.1 (0: any that is free). Fails with a [`UserError`] if it is in
    /// use.
    pub fn new(port: u16, describe: &'a Describe<'a>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            UserError::new(
                "--port",
                format!("cannot listen on 127.0.0.1:{port}: {error}"),
            )
            .hint("name another port, or none: then a free one is taken")
        })?;
        let port = listener.local_addr()?.port();
        let mut secret = [0; 32];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut secret))
            .context("cannot make a token")?;
        Ok(Self {
            listener,
            port,
            token: hex::encode(secret),
            describe,
            last: Mutex::new(None),
            connections: AtomicUsize::new(0),
        })
    }

    /// The address to open.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Answers until the process ends.
    pub fn serve(&self) -> Result<()> {
        std::thread::scope(|scope| {
            for stream in self.listener.incoming() {
                let Ok(mut stream) = stream else {
                    // Too many open files, for instance: wait for some to be closed.
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if self.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                    self.connections.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                scope.spawn(move || {
                    if let Err(error) = self.converse(&mut stream) {
                        tracing::debug!("a connection to the page ended: {error:#}");
                    }
                    self.connections.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(())
    }

    fn converse(&self, stream: &mut TcpStream) -> Result<()> {
        let request = match Request::read(stream) {
            Ok(request) => request,
            Err(error) => {
                let answer = Answer::refused("400 Bad Request", "this is no request");
                answer.send(stream, &policy(true), true)?;
                return Err(error);
            }
        };
        let answer = self.answer(&request);
        answer.send(stream, &policy(true), request.method != "HEAD")
    }

    fn answer(&self, request: &Request) -> Answer {
        if let Some(refused) = self.refuse(request) {
            return refused;
        }
        let page = match self.page() {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!("the job cannot be read: {error:#}");
                return Answer::refused("500 Internal Server Error", "the job cannot be read");
            }
        };
        let (kind, body) = match request.path.as_str() {
            "/" => ("text/html; charset=utf-8", page.html()),
            _ => ("application/json", page.json()),
        };
        match body {
            Ok(body) => Answer {
                status: "200 OK",
                kind,
                body,
            },
            Err(_) => Answer::refused("500 Internal Server Error", "the page cannot be made"),
        }
    }

    /// Why a request is not answered; the token comes last, so that nobody learns more without it.
    fn refuse(&self, request: &Request) -> Option<Answer> {
        let names = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        let is_ours = |host: Option<&str>| host.is_some_and(|host| names.iter().any(|n| n == host));
        let origin = request
            .header("origin")
            .and_then(|o| o.strip_prefix("http://"));
        let is_elsewhere = request.has("origin") && !is_ours(origin);
        if !is_ours(request.header("host")) || is_elsewhere {
            return Some(Answer::refused(
                "403 Forbidden",
                "this is not the address of the page",
            ));
        }
        if !["GET", "HEAD"].contains(&request.method.as_str()) {
            return Some(Answer::refused(
                "405 Method Not Allowed",
                "the page can only be read",
            ));
        }
        let given = request.parameter("token").unwrap_or_default();
        if !is_equal(given.as_bytes(), self.token.as_bytes()) {
            return Some(Answer::refused(
                "403 Forbidden",
                "the address has no valid token",
            ));
        }
        if !["/", "/data"].contains(&request.path.as_str()) {
            return Some(Answer::refused("404 Not Found", "there is one page only"));
        }
        None
    }

    /// The page as it is now. Those who ask at the same time wait for one description.
    fn page(&self) -> Result<Page> {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        let is_fresh = last.as_ref().is_some_and(|(when, document)| {
            // What is over changes only if somebody continues the job.
            let running = document.job.is_running;
            when.elapsed() < if running { FRESH } else { REST }
        });
        if !is_fresh {
            *last = Some((Instant::now(), (self.describe)()?));
        }
        let document = last.as_ref().map(|(_, document)| document.clone());
        Ok(Page {
            jobs: document.into_iter().collect(),
            refresh_ms: Some(REFRESH.as_millis() as u64),
        })
    }
}

/// Compares in a time that does not depend on where the texts differ.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |found, (a, b)| found | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_equal_or_not() {
        assert!(is_equal(b"abc", b"abc"));
        assert!(!is_equal(b"abd", b"abc") && !is_equal(b"ab", b"abc") && !is_equal(b"", b"abc"));
    }
}
