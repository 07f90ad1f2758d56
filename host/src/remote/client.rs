//! The HTTP client: one for all servers, with its connections kept for later requests.
//!
//! `ureq` and not the client that `object_store` has by itself: that one brings HTTP/2 and an
//! asynchronous stack, which take as long to build as all of this, for requests that the host waits
//! for anyway.

use super::buffers;
use super::failure::CERTIFICATE;
use bytes::Bytes;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, RetryConfig};
use std::io::{self, Read};
use std::sync::LazyLock;
use std::time::Duration;
use ureq::Agent;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Request, Response};
use ureq::tls::{RootCerts, TlsConfig};

/// Bodies are read whole up to this size. The host asks for ranges of at most 2 MB; only a server
/// that does not do what it is asked sends more.
const MOST: u64 = 1 << 30;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// How often a request that failed by the server or the network is made again, with growing pauses:
/// half a minute in all.
const RETRIES: usize = 8;

/// How requests are repeated. `DJHOST_TEST_RETRIES` is another number of times, for tests.
pub(super) fn retry() -> RetryConfig {
    let given = std::env::var("DJHOST_TEST_RETRIES").ok();
    RetryConfig {
        max_retries: given.and_then(|n| n.parse().ok()).unwrap_or(RETRIES),
        ..RetryConfig::default()
    }
}

fn agent(redirects: u32) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .max_redirects_will_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .user_agent(concat!("djhost/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .max_idle_connections(256)
        .max_idle_connections_per_host(64)
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
        .build()
        .new_agent()
}

/// For files behind URLs, which may be elsewhere.
pub(super) static FOLLOWING: LazyLock<Agent> = LazyLock::new(|| agent(5));

/// For stores: a signed request is only good where it was sent to.
static DIRECT: LazyLock<Agent> = LazyLock::new(|| agent(0));

/// The body of a reply, checked against the length that the server has said.
pub(super) fn body(reply: &mut Response<ureq::Body>) -> io::Result<Bytes> {
    let said = reply.body().content_length();
    if let Some((said, mut buffer)) = said.and_then(|said| Some((said, buffers::take(said)?))) {
        let mut from = reply.body_mut().as_reader();
        let mut done = 0;
        while done < said as usize {
            match from.read(&mut buffer[done..said as usize])? {
                0 => return Err(ended(done as u64, said)),
                read => done += read,
            }
        }
        // Only a body that was read to its end leaves its connection to the next request.
        io::copy(&mut from, &mut io::sink())?;
        return Ok(buffers::lend(buffer, done));
    }
    let mut bytes = Vec::with_capacity(said.unwrap_or(0).min(MOST) as usize);
    let mut from = reply.body_mut().as_reader().take(MOST);
    from.read_to_end(&mut bytes)?;
    match said {
        Some(said) if said != bytes.len() as u64 => Err(ended(bytes.len() as u64, said)),
        _ => Ok(bytes.into()),
    }
}

fn ended(after: u64, said: u64) -> io::Error {
    let message = format!("the reply ended after {after} of {said} bytes");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

/// Whether trying again may help.
pub(super) fn kind_of(error: &ureq::Error) -> HttpErrorKind {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            HttpErrorKind::Connect
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
        // It is the same the next time.
        ureq::Error::Io(error) if error.to_string().contains(CERTIFICATE) => HttpErrorKind::Unknown,
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}

/// The `Date` of a reply: what the server's clock says. `object_store` hands it on.
#[derive(Debug, Clone)]
pub(super) struct ServerDate(pub(super) String);

/// Carries the requests of `object_store`.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service))
    }
}

#[derive(Debug)]
struct Service;

#[async_trait::async_trait]
impl HttpService for Service {
    /// Blocks: whoever waits for the answer has nothing else to do.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut parts, body) = request.into_parts();
        // The client writes it by itself.
        parts.headers.remove("content-length");
        let content = whole(body).await?;
        let method = parts.method.clone();
        let sent = if content.is_empty() && method != "PUT" && method != "POST" {
            DIRECT.run(Request::from_parts(parts, ()))
        } else {
            DIRECT.run(Request::from_parts(parts, &content[..]))
        };
        let mut reply = sent.map_err(|e| HttpError::new(kind_of(&e), e))?;
        let bytes = self::body(&mut reply).map_err(|e| {
            let e = ureq::Error::from(e);
            HttpError::new(kind_of(&e), e)
        })?;
        let (mut parts, _) = reply.into_parts();
        let date = parts
            .headers
            .get("date")
            .and_then(|date| date.to_str().ok());
        if let Some(date) = date.map(str::to_owned) {
            parts.extensions.insert(ServerDate(date));
        }
        Ok(HttpResponse::from_parts(parts, bytes.into()))
    }
}

async fn whole(body: object_store::client::HttpRequestBody) -> Result<Bytes, HttpError> {
    match body.as_bytes() {
        Some(bytes) => Ok(bytes.clone()),
        None => {
            object_store::client::HttpResponseBody::new(body)
                .bytes()
                .await
        }
    }
}
