//! As much HTTP as one page for one person needs: GET, no body, one request per connection.
//!
//! Written here because it is a page of code with a limit for everything: `tiny_http` (last release
//! 2022) waits for a slow client without end and reads headers of any length, and the servers that
//! are well kept bring an asynchronous runtime.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Bytes of a request before its body.
const HEAD: usize = 8 << 10;
/// Time that a client has to send its request, and to take a piece of the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request without its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    pub(super) query: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Request {
    /// Reads a request. Fails if it is too large, too slow, or no HTTP/1.
    pub(super) fn read(stream: &mut TcpStream) -> Result<Self> {
        let (end, mut head, mut piece) = (Instant::now() + PATIENCE, Vec::new(), [0; 1024]);
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || head.len() > HEAD {
                bail!("the request is too slow or too large");
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut piece) {
                Ok(0) => bail!("the request ends early"),
                Ok(n) => head.extend_from_slice(&piece[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Self::parse(&head)
    }

    fn parse(head: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(head)?;
        let mut lines = text.split("\r\n");
        let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, version] = first[..] else {
            bail!("the first line is no request");
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            bail!("the first line is no request of HTTP/1");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                bail!("a header has no name");
            };
            if name.is_empty() || name.contains(char::is_whitespace) {
                bail!("a header has no valid name");
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
        })
    }

    /// The value of a header that is there exactly once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = all.next()?;
        all.next().is_none().then_some(value.as_str())
    }

    /// Whether there is such a header.
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The value of a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Answer {
    /// A refusal in one line.
    pub(super) fn refused(status: &'static str, why: &str) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: format!("{why}\n"),
        }
    }

    /// Sends it; `policy` is the content security policy.
    pub(super) fn send(&self, stream: &mut TcpStream, policy: &str, with_body: bool) -> Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
             Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
             Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
             Cross-Origin-Opener-Policy: same-origin\r\nAllow: GET, HEAD\r\n\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        stream.write_all(head.as_bytes())?;
        if with_body {
            stream.write_all(self.body.as_bytes())?;
        }
        Ok(stream.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_apart() {
        let request =
            Request::parse(b"GET /data?token=ab&x=1 HTTP/1.1\r\nHost: a:1\r\nX: 1\r\nx: 2\r\n\r\n")
                .unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/data")
        );
        assert_eq!(request.parameter("token"), Some("ab"));
        assert_eq!(request.parameter("tok"), None);
        assert_eq!(request.header("host"), Some("a:1"));
        assert_eq!(request.header("x"), None, "said twice");
        assert!(request.has("x") && !request.has("origin"));
        for wrong in [
            &b"GET  / HTTP/1.1\r\n\r\n"[..],
            b"GET http://a/ HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2\r\n\r\n",
            b"GET / HTTP/1.1\r\nno header\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"\xff\r\n\r\n",
            b"\r\n\r\n",
        ] {
            assert!(Request::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
