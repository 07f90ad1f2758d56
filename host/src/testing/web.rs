//! A web server for tests: files in memory, a record of what was asked for, and faults on demand.
//! Ends with the test.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request that the server has got.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// With what follows a question mark.
    pub path: String,
    /// The part of the file that it asks for.
    pub range: Option<Range<u64>>,
    /// Its headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// What was sent with it.
    pub body: Vec<u8>,
    /// How many requests came before it.
    pub number: usize,
}

/// An answer that is made for a request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `200`.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, of which parts are given where they are asked for.
    pub body: Vec<u8>,
}

/// How a request goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The server answers with this status.
    Status(u16),
    /// The connection is closed without an answer.
    Reset,
    /// The same after the server has done what it was asked for.
    Lost,
    /// The connection is closed after so many bytes of the body.
    Cut(usize),
    /// The body comes in small pieces, with pauses.
    Slow,
}

struct Page {
    body: Arc<Vec<u8>>,
    status: u16,
    headers: Vec<(String, String)>,
    /// Requests for a part are answered with it.
    ranges: bool,
}

type Answers = Box<dyn FnMut(&Asked) -> Option<Reply> + Send>;
type Faults = Box<dyn FnMut(&Asked) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<Asked>,
    faults: Option<Faults>,
    answers: Option<Answers>,
    sent: u64,
    connections: usize,
}

/// The server.
#[derive(Clone)]
pub struct Web {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

impl Web {
    /// Starts one.
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let web = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let state = Arc::clone(&web.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                state.lock().unwrap().connections += 1;
                thread::spawn(move || {
                    // A client that goes away is none of the server's concern.
                    let _ = serve(&stream, &state);
                });
            }
        });
        web
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// The address of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn put_page(&self, path: &str, page: Page) {
        self.state
            .lock()
            .unwrap()
            .pages
            .insert(path.to_owned(), page);
    }

    /// Puts a file at `path`; its `ETag` is made from its content.
    pub fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        let body = body.into();
        let tag = format!("\"{:x}\"", xxhash_rust::xxh3::xxh3_64(&body));
        self.put_tagged(path, &tag, body);
    }

    /// Puts a file with an `ETag`. A path that ends in a slash stands for all below it.
    pub fn put_tagged(&self, path: &str, tag: &str, body: impl Into<Vec<u8>>) {
        self.put_page(
            path,
            Page {
                body: Arc::new(body.into()),
                status: 200,
                headers: vec![("ETag".to_owned(), tag.to_owned())],
                ranges: true,
            },
        );
    }

    /// Puts a file of which the server gives no parts, and no version, as simple servers do.
    pub fn put_plain(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.put_page(
            path,
            Page {
                body: Arc::new(body.into()),
                status: 200,
                headers: Vec::new(),
                ranges: false,
            },
        );
    }

    /// Puts an answer with headers of its own.
    pub fn put_answer(&self, path: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        self.put_page(
            path,
            Page {
                body: Arc::new(body.as_bytes().to_vec()),
                status,
                headers: headers.collect(),
                ranges: false,
            },
        );
    }

    /// From now on `faults` decides what goes wrong with a request.
    pub fn fail(&self, faults: impl FnMut(&Asked) -> Option<Fault> + Send + 'static) {
        self.state.lock().unwrap().faults = Some(Box::new(faults));
    }

    /// From now on what `answers` gives is the answer, before all files.
    pub fn answer(&self, mut answers: impl FnMut(&Asked) -> Option<String> + Send + 'static) {
        self.reply(move |asked| {
            let text = answers(asked)?;
            Some(Reply {
                status: 200,
                headers: Vec::new(),
                body: text.into_bytes(),
            })
        });
    }

    /// The same with a status and headers.
    pub fn reply(&self, replies: impl FnMut(&Asked) -> Option<Reply> + Send + 'static) {
        self.state.lock().unwrap().answers = Some(Box::new(replies));
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        self.state.lock().unwrap().faults = None;
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Bytes of all bodies sent so far.
    pub fn sent(&self) -> u64 {
        self.state.lock().unwrap().sent
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    // Head and body go by two calls, of which the second does not wait.
    stream.set_nodelay(true)?;
    let mut from = BufReader::new(stream);
    while let Some((mut asked, length)) = head(&mut from)? {
        from.by_ref().take(length).read_to_end(&mut asked.body)?;
        let (fault, page) = {
            let mut state = state.lock().unwrap();
            asked.number = state.asked.len();
            state.asked.push(asked.clone());
            let fault = state.faults.as_mut().and_then(|faults| faults(&asked));
            let path = asked.path.split('?').next().unwrap_or_default();
            let above = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
            let page = [&*asked.path, path, above]
                .iter()
                .find_map(|path| state.pages.get(*path));
            let page = page.map(|p| (Arc::clone(&p.body), p.status, p.headers.clone(), p.ranges));
            // What fails is not done.
            let is_done = matches!(
                fault,
                None | Some(Fault::Lost | Fault::Cut(_) | Fault::Slow)
            );
            let answers = state.answers.as_mut().filter(|_| is_done);
            let page = match answers.and_then(|answers| answers(&asked)) {
                Some(reply) => {
                    let ranges = reply.status == 200;
                    Some((Arc::new(reply.body), reply.status, reply.headers, ranges))
                }
                None => page,
            };
            (fault, page)
        };
        let mut to = stream;
        match fault {
            Some(Fault::Reset | Fault::Lost) => return Ok(()),
            Some(Fault::Status(status)) => {
                write!(to, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            }
            _ => {}
        }
        let Some((body, status, headers, ranges)) = page else {
            write!(to, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let all = body.len() as u64;
        let range = asked.range.filter(|_| ranges);
        let mut text = String::new();
        let part = match range {
            Some(range) if range.start >= all => {
                text += &format!("HTTP/1.1 416 No\r\nContent-Range: bytes */{all}\r\n");
                0..0
            }
            Some(range) => {
                let range = range.start..range.end.min(all);
                let (first, last) = (range.start, range.end - 1);
                text +=
                    &format!("HTTP/1.1 206 Part\r\nContent-Range: bytes {first}-{last}/{all}\r\n");
                range
            }
            None => {
                text += &format!("HTTP/1.1 {status} Yes\r\n");
                0..all
            }
        };
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", part.end - part.start);
        to.write_all(text.as_bytes())?;
        if asked.method == "HEAD" {
            continue;
        }
        let part = &body[part.start as usize..part.end as usize];
        let cut = match fault {
            Some(Fault::Cut(bytes)) => bytes.min(part.len()),
            _ => part.len(),
        };
        state.lock().unwrap().sent += cut as u64;
        match fault {
            Some(Fault::Slow) => {
                for piece in part.chunks((part.len() / 16).max(1)) {
                    to.write_all(piece)?;
                    thread::sleep(Duration::from_millis(2));
                }
            }
            _ => to.write_all(&part[..cut])?,
        }
        if cut < part.len() {
            return Ok(());
        }
    }
    Ok(())
}

/// A request, and the length of its body; None at the end of the connection.
fn head(from: &mut impl BufRead) -> io::Result<Option<(Asked, u64)>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = HashMap::new();
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let range = headers.get("range").and_then(|text: &String| {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        Some(first.parse().ok()?..last.parse::<u64>().ok()? + 1)
    });
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let asked = Asked {
        method,
        path,
        range,
        headers,
        body: Vec::new(),
        number: 0,
    };
    Ok(Some((asked, length.unwrap_or(0))))
}
