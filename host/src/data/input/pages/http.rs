//! The HTTP message in a response record.

use super::head::{Head, media_type};

/// Its header, and what follows it.
pub(super) struct Message<'a> {
    pub(super) head: Head<'a>,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Parses the content of a record; the error says why it is no message.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self, String> {
        if !content.starts_with(b"HTTP/") {
            return Err("it has no HTTP header".to_owned());
        }
        let most = super::head::MAX_HEAD;
        let Some(head) = Head::parse(&content[..content.len().min(most)]) else {
            return Err(match content.len() < most {
                true => "its HTTP header has no end".to_owned(),
                false => format!("its HTTP header has more than {} KB", most >> 10),
            });
        };
        let body = &content[head.len..];
        Ok(Self { head, body })
    }

    /// `200` of `HTTP/1.1 200 OK`.
    pub(super) fn status(&self) -> Option<u16> {
        let mut words = self.head.first.split(u8::is_ascii_whitespace);
        let word = words.nth(1)?;
        std::str::from_utf8(word).ok()?.parse().ok()
    }
}

/// The parameter `charset` of a `Content-Type`.
pub(super) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// The media type of a body that comes without one: a page is known by how it begins.
pub(super) fn guessed_type(content_type: Option<&str>, body: &[u8]) -> String {
    match content_type.map(media_type) {
        Some(ty) if !ty.is_empty() => ty,
        _ if looks_like_html(body) => "text/html".to_owned(),
        _ => String::new(),
    }
}

/// Whether a text begins like a page.
pub(super) fn looks_like_html(body: &[u8]) -> bool {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    let starts = |tag: &[u8]| {
        body.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    [
        &b"<!doctype html"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<title",
    ]
    .iter()
    .any(|tag| starts(tag))
}
