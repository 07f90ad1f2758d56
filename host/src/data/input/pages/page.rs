//! Makes the row of a record, as JSON text.

use super::charset::{Hints, decode};
use super::coding::undone;
use super::head::{Head, media_type};
use super::http::{Message, charset, guessed_type};
use super::settings::PageSettings;
use super::unpacked::DAMAGE;
use crate::config::{PageBody, PageField, RecordType};
use crate::data::json::write_string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Longest name of a type that is counted by its name, in bytes. The longest in use have some 75.
const MOST_OF_KIND: usize = 80;

/// What becomes of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Its row has been appended.
    Row,
    /// The recipe does not ask for what it is.
    NotARow(String),
    /// It would be a row, but cannot be one for this reason.
    Bad(String),
}

/// What a row has.
#[derive(Default)]
pub(super) struct Page<'a> {
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) date: Option<Cow<'a, str>>,
    pub(super) content_type: Option<Cow<'a, str>>,
    pub(super) status: Option<u16>,
    pub(super) record_id: Option<Cow<'a, str>>,
    pub(super) digest: Option<Cow<'a, str>>,
    pub(super) record_type: Option<RecordType>,
}

/// Appends the row of `record`, header and content, to `out`. `size`: it is larger than the limit,
/// and `record` has its beginning. What it has with its codings undone may have `limit` bytes.
pub(super) fn row(
    record: &[u8],
    size: Option<u64>,
    settings: &PageSettings,
    limit: usize,
    out: &mut Vec<u8>,
) -> Made {
    let Some(head) = Head::parse(record) else {
        return Made::Bad("its header ends in the middle".to_owned());
    };
    let name = head.text("WARC-Type").unwrap_or_default();
    if name == DAMAGE {
        let reason = head.text("Reason").unwrap_or_default();
        return Made::Bad(reason.into_owned());
    }
    let Some(record_type) = settings.record_type(&name) else {
        return Made::NotARow(kind(&name));
    };
    let content = &record[head.len..];
    let mut page = Page {
        url: head.text("WARC-Target-URI").map(without_brackets),
        date: head.text("WARC-Date"),
        record_id: head.text("WARC-Record-ID"),
        record_type: Some(record_type),
        content_type: head.text("Content-Type"),
        ..Page::default()
    };
    let of_payload = head.text("WARC-Payload-Digest");
    let of_block = || head.text("WARC-Block-Digest");
    let own_type = page.content_type.as_deref().map(media_type);
    let is_page = matches!(record_type, RecordType::Response | RecordType::Resource);
    let is_http = record_type == RecordType::Response
        && (own_type
            .as_deref()
            .is_none_or(|ty| ty == "application/http")
            || content.starts_with(b"HTTP/"));
    // What the body is of what the record has of it.
    let message = match is_http.then(|| Message::parse(content)).transpose() {
        Ok(message) => message,
        Err(reason) => return Made::Bad(reason),
    };
    let body = message.as_ref().map_or(content, |message| message.body);
    if let Some(message) = &message {
        page.content_type = message.head.text("Content-Type");
        page.status = message.status();
        page.digest = of_payload;
    } else {
        page.digest = of_payload.or_else(of_block);
    }
    if is_page {
        let identified = head.text("WARC-Identified-Payload-Type");
        let ty = match &identified {
            Some(ty) => media_type(ty),
            None => guessed_type(page.content_type.as_deref(), body),
        };
        if !settings.takes(&ty) {
            return Made::NotARow(format!("{}, {}", record_type.word(), kind(&ty)));
        }
    }
    if let Some(size) = size {
        return Made::Bad(too_large(size, limit));
    }
    let body = match &message {
        None => Cow::Borrowed(body),
        Some(message) => match undone(&message.head, body, limit) {
            Ok(body) => body,
            Err(reason) => return Made::Bad(reason),
        },
    };
    write(&page, &body, is_page, settings, out);
    Made::Row
}

/// What a record is, as it is counted: its type, or that of its body.
fn kind(name: &str) -> String {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "/-+._".contains(c);
    match name.len() {
        1..=MOST_OF_KIND if name.chars().all(is_usual) => name.to_ascii_lowercase(),
        0 => "without a type".to_owned(),
        _ => "of an unusual type".to_owned(),
    }
}

pub(super) fn too_large(size: u64, limit: usize) -> String {
    format!("the record has {size} bytes, more than the {limit} that a record may have")
}

/// Appends a row with its `body`: HTML, or a text.
pub(super) fn write(
    page: &Page<'_>,
    body: &[u8],
    is_html: bool,
    settings: &PageSettings,
    out: &mut Vec<u8>,
) {
    let is_text = !is_html || settings.body == PageBody::Text;
    let decoded = is_text.then(|| {
        decode(
            body,
            &Hints {
                header: page.content_type.as_deref().and_then(charset),
                url: page.url.as_deref(),
                is_html,
            },
        )
    });
    let charset = decoded.as_ref().map(|(_, charset)| charset.as_str());
    out.push(b'{');
    let texts = [
        (PageField::Url, page.url.as_deref()),
        (PageField::Date, page.date.as_deref()),
        (
            PageField::RecordType,
            page.record_type.map(RecordType::word),
        ),
        (PageField::ContentType, page.content_type.as_deref()),
        (PageField::Status, None),
        (PageField::RecordId, page.record_id.as_deref()),
        (PageField::Digest, page.digest.as_deref()),
        (PageField::Charset, charset),
    ];
    for (field, text) in texts.into_iter().filter(|(field, _)| settings.has(*field)) {
        write_string(field.word(), out);
        out.push(b':');
        match (text, page.status) {
            (Some(text), _) => write_string(text, out),
            (None, Some(status)) if field == PageField::Status => {
                out.extend_from_slice(status.to_string().as_bytes());
            }
            (None, _) => out.extend_from_slice(b"null"),
        }
        out.push(b',');
    }
    let key = match (is_html, is_text) {
        (true, true) => settings.html_key.word(),
        (true, false) => "bytes",
        (false, _) => "text",
    };
    write_string(key, out);
    out.push(b':');
    match decoded {
        Some((text, _)) => write_string(&text, out),
        None => write_string(&STANDARD.encode(body), out),
    }
    out.push(b'}');
}

/// Some programs write `<http://…>`.
fn without_brackets(url: Cow<'_, str>) -> Cow<'_, str> {
    match url.strip_prefix('<').and_then(|url| url.strip_suffix('>')) {
        Some(url) => Cow::Owned(url.to_owned()),
        None => url,
    }
}
