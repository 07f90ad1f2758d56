//! Which records of WARC files become rows, and with which fields.

use crate::config::{PageBody, PageField, PageKey, RecordType, Warc};

/// The section `warc` of the recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageSettings {
    /// Types of records that become rows.
    record_types: Vec<RecordType>,
    /// In lower case; `text/*` stands for all that begin so.
    content_types: Vec<String>,
    /// Fields beside the body.
    fields: Vec<PageField>,
    /// The field with the body of a page.
    pub(super) html_key: PageKey,
    /// How rows have it.
    pub(super) body: PageBody,
    /// Most bytes of a record, as stored and with its codings undone.
    pub(super) max_record_bytes: Option<usize>,
}

impl Default for PageSettings {
    fn default() -> Self {
        Self::new(&Warc::default())
    }
}

impl PageSettings {
    /// What the recipe says.
    pub(crate) fn new(warc: &Warc) -> Self {
        let lower = |text: &String| text.trim().to_ascii_lowercase();
        Self {
            record_types: warc.record_types.0.clone(),
            content_types: warc.content_types.0.iter().map(lower).collect(),
            fields: warc.fields.0.clone(),
            html_key: warc.html_key,
            body: warc.body,
            max_record_bytes: warc.max_record_mb.map(|mb| (mb as usize) << 20),
        }
    }

    /// The type, if records of it become rows.
    pub(super) fn record_type(&self, name: &str) -> Option<RecordType> {
        let mut types = self.record_types.iter().copied();
        types.find(|ty| ty.word().eq_ignore_ascii_case(name))
    }

    /// Whether bodies of a media type (in lower case, without parameters) become rows.
    pub(super) fn takes(&self, media_type: &str) -> bool {
        self.content_types.iter().any(|wanted| {
            wanted == "*/*"
                || match wanted.strip_suffix('*') {
                    Some(start) => media_type.starts_with(start),
                    None => wanted == media_type,
                }
        })
    }

    /// Whether rows have this field.
    pub(super) fn has(&self, field: PageField) -> bool {
        self.fields.contains(&field)
    }
}
