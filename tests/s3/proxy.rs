//! Stands between djhost and the store, and makes requests go wrong.

use crate::store::forward;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of a request.
pub(crate) enum Way {
    /// It is answered.
    Through,
    /// It is answered as if it had no header of this name.
    Without(&'static str),
    /// It is never answered, nor is any other on its connection.
    Stall,
    /// The store does what it asks for, and the connection is closed without a reply.
    LoseReply,
    /// This is the answer.
    Status(u16, &'static str),
}

type Choose = Box<dyn FnMut(&str) -> Way + Send>;

/// Starts one; returns its port. `choose` is given the first line of each request: `PUT /x?partNumber=1`.
pub(crate) fn proxy(choose: impl FnMut(&str) -> Way + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let choose: Arc<Mutex<Choose>> = Arc::new(Mutex::new(Box::new(choose)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let choose = Arc::clone(&choose);
            // A client that goes away is none of the proxy's concern.
            thread::spawn(move || drop(serve(&stream, &choose)));
        }
    });
    port
}

fn serve(stream: &TcpStream, choose: &Mutex<Choose>) -> std::io::Result<()> {
    let mut from = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            if lower.trim().is_empty() {
                break;
            }
            if !lower.starts_with("connection:") {
                head += &line;
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        let first = head
            .rsplit_once(" HTTP/1.1")
            .map_or("", |_| head.lines().next().unwrap());
        let way = (choose.lock().unwrap())(first.trim_end_matches(" HTTP/1.1"));
        let mut to = stream;
        match way {
            Way::Through => {
                // Of a `HEAD` the length is not that of the reply's body.
                to.write_all(&forward(&head, &body))?;
                return Ok(());
            }
            Way::Without(name) => {
                let is_other = |line: &&str| !line.to_ascii_lowercase().starts_with(name);
                let lines = head.split_inclusive('\n').filter(is_other);
                to.write_all(&forward(&lines.collect::<String>(), &body))?;
                return Ok(());
            }
            Way::Stall => loop {
                thread::park();
            },
            Way::LoseReply => {
                forward(&head, &body);
                return Ok(());
            }
            Way::Status(status, text) => write!(
                to,
                "HTTP/1.1 {status} No\r\nContent-Length: {}\r\n\r\n{text}",
                text.len()
            )?,
        }
    }
}
