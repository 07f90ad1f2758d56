//! Files behind URLs: what a server says about one, a range of it, and all of it from front to end.

use super::client::{FOLLOWING, body, kind_of, retry};
use super::failure::Failure;
use bytes::Bytes;
use object_store::client::HttpErrorKind;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::Duration;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Body, SendBody};

/// Where something is, and what it is asked with.
#[derive(Clone)]
pub(super) struct Location {
    pub(super) url: String,
    /// Sent to this server only.
    pub(super) token: Option<String>,
    /// The URL names a version: what is there cannot change.
    pub(super) is_pinned: bool,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Location {
    /// What tells the version that a reply is of.
    fn tag(&self, headers: &HeaderMap) -> Option<String> {
        match self.is_pinned {
            true => None,
            false => tag_of(headers),
        }
    }
}

/// Of a version that cannot change a server may send all of it in place of a part, if it is small.
const SMALL: u64 = 16 << 20;

/// What a server says about a file.
pub(super) struct Found {
    pub(super) bytes: u64,
    /// `ETag`, or the time of the last change.
    pub(super) tag: Option<String>,
    /// It answers requests for a part.
    pub(super) ranges: bool,
}

/// Asks for the first byte. (Not by `HEAD`, which many servers answer otherwise or not at all.)
pub(super) fn find(location: &Location) -> Result<Found, Failure> {
    let request = format!("GET {location}");
    repeat(&request, || {
        let reply = get(location, Some(0..1))?;
        let headers = reply.headers();
        let tag = location.tag(headers);
        match reply.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (_, bytes) = content_range(headers).ok_or_else(|| {
                    Again::No(Failure::broken(
                        &request,
                        "the answer does not say which part of the file it is",
                        0,
                    ))
                })?;
                Ok(Found {
                    bytes,
                    tag,
                    ranges: true,
                })
            }
            // Of an empty file there is no first byte.
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Found {
                bytes: content_range(headers).map_or(0, |(_, all)| all),
                tag,
                ranges: true,
            }),
            StatusCode::OK => {
                let bytes = reply.body().content_length().ok_or_else(|| {
                    let why = "the server does not say how long the file is";
                    Again::No(
                        Failure::new(ErrorKind::Other, format!("{request}: {why}"))
                            .hint("download it first, and name the copy"),
                    )
                })?;
                // The rest of the reply is not read: its connection is closed with it.
                Ok(Found {
                    bytes,
                    tag,
                    ranges: location.is_pinned && bytes <= SMALL,
                })
            }
            _ => Err(answer(&request, reply)),
        }
    })
}

/// The bytes in `range` of a file of `bytes` bytes and version `tag`.
pub(super) fn fetch(
    location: &Location,
    (bytes, tag): (u64, Option<&str>),
    range: Range<u64>,
) -> Result<Bytes, Failure> {
    let request = format!("GET bytes {}-{}", range.start, range.end - 1);
    repeat(&request, || {
        let mut reply = get(location, Some(range.clone()))?;
        match reply.status() {
            StatusCode::PARTIAL_CONTENT => {
                let found = content_range(reply.headers());
                if found.as_ref().is_some_and(|(_, all)| *all != bytes)
                    || location.tag(reply.headers()).as_deref() != tag
                {
                    return Err(Again::No(Failure::changed(&request)));
                }
                if found.is_none_or(|(part, _)| part != range) {
                    let why = "the server sends another part of the file than it was asked for";
                    return Err(Again::Yes(why.to_owned(), None));
                }
                let part = body(&mut reply).map_err(|e| Again::Yes(e.to_string(), None))?;
                if part.len() as u64 != range.end - range.start {
                    return Err(Again::Yes(
                        format!("the reply has {} bytes", part.len()),
                        None,
                    ));
                }
                Ok(part)
            }
            StatusCode::OK if location.is_pinned && bytes <= SMALL => {
                let all = body(&mut reply).map_err(|e| Again::Yes(e.to_string(), None))?;
                match all.len() as u64 == bytes {
                    true => Ok(all.slice(range.start as usize..range.end as usize)),
                    false => Err(Again::No(Failure::changed(&request))),
                }
            }
            StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE => {
                Err(Again::No(Failure::changed(&request)))
            }
            _ => Err(answer(&request, reply)),
        }
    })
}

/// All of a short answer, and its headers.
pub(super) fn text(location: &Location) -> Result<(Bytes, HeaderMap), Failure> {
    let request = format!("GET {location}");
    repeat(&request, || {
        let mut reply = get(location, None)?;
        if reply.status() != StatusCode::OK {
            return Err(answer(&request, reply));
        }
        let text = body(&mut reply).map_err(|e| Again::Yes(e.to_string(), None))?;
        Ok((text, reply.headers().clone()))
    })
}

/// What is sent with a request.
pub(super) enum Content<'c> {
    Bytes(&'c [u8]),
    /// A part of a file: from a byte, so many.
    Part(&'c File, u64, u64),
}

/// A request that changes something, or is longer than a URL.
pub(super) struct Sent<'s> {
    pub(super) method: &'static str,
    pub(super) url: &'s str,
    pub(super) token: Option<&'s str>,
    pub(super) headers: &'s [(&'s str, &'s str)],
    pub(super) content: Content<'s>,
    /// How it is called in messages: the URL may have a signature.
    pub(super) name: &'s str,
}

/// What a server answers to what was sent: an answer that another request would not change.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Sends, again if there is no answer or one that says to try again. So what is sent must do no harm
/// the second time.
pub(super) fn send(sent: &Sent<'_>) -> Result<Answer, Failure> {
    repeat(sent.name, || {
        let mut request = ureq::http::Request::builder()
            .method(sent.method)
            .uri(sent.url);
        for (name, value) in sent.headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = sent.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let broken = |e: ureq::Error| {
            let why = e.to_string();
            match kind_of(&e) {
                HttpErrorKind::Unknown => Again::No(Failure::unsent(sent.name, &why)),
                _ => Again::Yes(why, None),
            }
        };
        let wrong = |e: ureq::http::Error| {
            let why = format!("{}: {e}", sent.name);
            Again::No(Failure::new(ErrorKind::Other, why))
        };
        let reply = match &sent.content {
            Content::Bytes(bytes) => FOLLOWING.run(request.body(*bytes).map_err(wrong)?),
            Content::Part(file, from, length) => {
                let mut part = Part {
                    file,
                    at: *from,
                    left: *length,
                };
                request = request.header("Content-Length", length.to_string());
                let body = SendBody::from_reader(&mut part);
                FOLLOWING.run(request.body(body).map_err(wrong)?)
            }
        };
        let mut reply = reply.map_err(broken)?;
        let status = reply.status();
        if status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT
            || status.is_server_error()
        {
            return Err(answer(sent.name, reply));
        }
        let body = body(&mut reply).map_err(|e| Again::Yes(e.to_string(), None))?;
        Ok(Answer {
            status: status.as_u16(),
            headers: reply.headers().clone(),
            body,
        })
    })
}

/// Reads a part of a file, whoever else reads it.
struct Part<'f> {
    file: &'f File,
    at: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = self.file.read_at(&mut bytes[..most], self.at)?;
        self.at += got as u64;
        self.left -= got as u64;
        Ok(got)
    }
}

/// All of a file, from a server that answers no requests for parts. If the connection breaks, it is
/// requested again, and what was read is skipped.
pub(super) struct Whole {
    location: Location,
    bytes: u64,
    tag: Option<String>,
    at: u64,
    from: Option<Box<dyn Read + Send>>,
    retries: usize,
}

impl Whole {
    pub(super) fn new(location: Location, bytes: u64, tag: Option<String>) -> Self {
        Self {
            location,
            bytes,
            tag,
            at: 0,
            from: None,
            retries: 0,
        }
    }

    fn open(&self, request: &str) -> Result<Box<dyn Read + Send>, Failure> {
        repeat(request, || {
            let reply = get(&self.location, None)?;
            if reply.status() != StatusCode::OK {
                return Err(answer(request, reply));
            }
            if self.location.tag(reply.headers()) != self.tag
                || reply.body().content_length() != Some(self.bytes)
            {
                return Err(Again::No(Failure::changed(request)));
            }
            let mut from = reply.into_body().into_reader();
            let skipped = io::copy(&mut (&mut from).take(self.at), &mut io::sink());
            match skipped {
                Ok(n) if n == self.at => Ok(Box::new(from) as _),
                Ok(_) => Err(Again::Yes("the reply ended early".to_owned(), None)),
                Err(e) => Err(Again::Yes(e.to_string(), None)),
            }
        })
    }
}

impl Read for Whole {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let request = format!("GET from byte {}", self.at);
        loop {
            if bytes.is_empty() || self.at == self.bytes {
                return Ok(0);
            }
            let from = match &mut self.from {
                Some(from) => from,
                None => {
                    let opened = self.open(&request)?;
                    self.from.insert(opened)
                }
            };
            let why = match from.read(bytes) {
                Ok(0) => "the reply ended early".to_owned(),
                Ok(n) => {
                    self.at += n as u64;
                    return Ok(n);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => e.to_string(),
            };
            self.from = None;
            if self.retries == retry().max_retries {
                return Err(Failure::broken(&request, &why, self.retries).into());
            }
            self.retries += 1;
        }
    }
}

/// Why there is no result.
enum Again {
    /// Trying again may help; the failure to report if it does not, or why the reply broke off.
    Yes(String, Option<Failure>),
    No(Failure),
}

fn get(location: &Location, range: Option<Range<u64>>) -> Result<Response<Body>, Again> {
    let mut request = FOLLOWING.get(&location.url);
    if let Some(range) = range {
        request = request.header("Range", format!("bytes={}-{}", range.start, range.end - 1));
    }
    if let Some(token) = &location.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    request
        .header("Accept-Encoding", "identity")
        .call()
        .map_err(|e| {
            let why = e.to_string();
            match kind_of(&e) {
                HttpErrorKind::Unknown => {
                    Again::No(Failure::unsent(&format!("GET {location}"), &why))
                }
                _ => Again::Yes(why, None),
            }
        })
}

/// Of an answer that is none to the question.
fn answer(request: &str, reply: Response<Body>) -> Again {
    let status = reply.status();
    let failure = |retries| Failure::answer(request, status.as_u16(), "", retries);
    let why = || format!("the server answers {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Again::Yes(why(), Some(failure(retry().max_retries)))
        }
        status if status.is_server_error() => Again::Yes(why(), Some(failure(retry().max_retries))),
        _ => Again::No(failure(0)),
    }
}

/// Makes a request until it has an answer, with pauses that grow.
fn repeat<T>(request: &str, mut attempt: impl FnMut() -> Result<T, Again>) -> Result<T, Failure> {
    let most = retry().max_retries;
    let mut tries = 0;
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Again::No(failure)) => return Err(failure),
            Err(Again::Yes(why, failure)) if tries == most => {
                return Err(failure.unwrap_or_else(|| Failure::broken(request, &why, tries)));
            }
            Err(Again::Yes(why, _)) => {
                tracing::info!("{request}: {why}: trying again");
                std::thread::sleep(Duration::from_millis(100 << tries.min(7)));
                tries += 1;
            }
        }
    }
}

fn tag_of(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    text("etag").or_else(|| Some(format!("of {}", text("last-modified")?)))
}

/// Which part of a file a reply is, and how long the file is. An unsatisfied range is no part.
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let text = headers.get("content-range")?.to_str().ok()?;
    let (part, all) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let all = all.parse().ok()?;
    if part == "*" {
        return Some((0..0, all));
    }
    let (first, last) = part.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?..last.checked_add(1)?, all))
}
