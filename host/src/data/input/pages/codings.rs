//! Unpacks the body of an HTTP message.

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use std::io::{ErrorKind, Read};

/// How unpacking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the data.
    Whole,
    /// Where the body ends, before the end of the data.
    Cut,
    /// At bytes that make no sense.
    Damaged,
    /// At the limit.
    TooLarge,
}

/// Zstandard in HTTP may have windows of 8 MB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What `body` has in a content coding, at most `limit` bytes; None if the name means nothing, or
/// `identity`.
pub(super) fn unpacked(coding: &str, body: &[u8], limit: usize) -> Option<(Vec<u8>, End)> {
    Some(match coding {
        "gzip" | "x-gzip" => members(body, limit),
        // The standard means zlib's format; some servers send what is in it alone.
        "deflate" => match read(ZlibDecoder::new(body), limit) {
            (bytes, End::Damaged) if bytes.is_empty() => read(DeflateDecoder::new(body), limit),
            done => done,
        },
        "br" => read(
            brotli_decompressor::Decompressor::new(body, 16 << 10),
            limit,
        ),
        "zstd" => {
            let decoder = zstd::Decoder::with_buffer(body).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(decoder)
            });
            decoder.map_or((Vec::new(), End::Damaged), |decoder| read(decoder, limit))
        }
        _ => return None,
    })
}

/// Any number of gzip members. What follows them is left out, as in browsers.
fn members(mut body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut all = Vec::new();
    loop {
        let mut member = GzDecoder::new(body);
        let (bytes, end) = read(&mut member, limit - all.len());
        all.extend_from_slice(&bytes);
        body = member.into_inner();
        if end != End::Whole || !body.starts_with(&[0x1f, 0x8b]) || bytes.is_empty() {
            return (all, end);
        }
    }
}

fn read(from: impl Read, limit: usize) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let end = match from.take(limit as u64 + 1).read_to_end(&mut bytes) {
        _ if bytes.len() > limit => End::TooLarge,
        Ok(_) => End::Whole,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => End::Cut,
        Err(_) => End::Damaged,
    };
    (bytes, end)
}
