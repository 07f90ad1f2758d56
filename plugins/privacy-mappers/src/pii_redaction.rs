//! `pii_redaction_mapper`

use crate::fields::{VALUE_KEYS, redact_field, redact_nested};
use crate::patterns::{self, Pattern};
use crate::replacement::Replacement;
use crate::splice::Splices;
use djhost_sdk::json::{Text, Value};
use djhost_sdk::prelude::*;
use djhost_sdk::text::plain_pattern;
use regex::Regex;
use std::collections::BTreeMap;

/// Puts placeholders in the place of personal data: paths, email addresses, secrets, IDs, phone
/// numbers and more.
///
/// It works on the text, on `query`, `response`, `dialog_history` and `messages`, and on strings in
/// the fields of `nested_keys`. What is not redacted stays byte for byte. A row with a lone
/// surrogate in a string that would have to be looked at goes to quarantine.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PiiRedactionMapper {
    /// Whether file paths of Unix and Windows are redacted.
    pub mask_paths: bool,
    /// Whether email addresses are redacted.
    pub mask_emails: bool,
    /// Whether what is assigned to a password, a token and their like is redacted.
    pub mask_secrets: bool,
    /// Whether IDs of sessions, users, requests and traces are redacted.
    pub mask_ids: bool,
    /// Whether phone numbers are redacted.
    pub mask_phones: bool,
    /// Whether numbers of Chinese identity cards are redacted.
    pub mask_id_cards: bool,
    /// Whether names of channels (`channel: feishu`) are redacted.
    pub mask_channel_ids: bool,
    /// Whether user IDs of messaging platforms (`ou_…`) are redacted.
    pub mask_platform_open_ids: bool,
    /// Whether blocks of PEM are redacted.
    pub mask_pem: bool,
    /// Whether JSON web tokens are redacted.
    pub mask_jwt: bool,
    /// Whether URLs are redacted.
    pub mask_urls: bool,
    /// Whether IP addresses; those of version 6 in brackets are redacted.
    pub mask_ips: bool,
    /// Whether MAC addresses are redacted.
    pub mask_macs: bool,
    /// What takes the place of a path.
    pub path_replacement: String,
    /// What takes the place of an email address.
    pub email_replacement: String,
    /// What takes the place of a secret.
    pub secret_replacement: String,
    /// What takes the place of an ID.
    pub id_replacement: String,
    /// What takes the place of a phone number.
    pub phone_replacement: String,
    /// What takes the place of an identity card number.
    pub id_card_replacement: String,
    /// What takes the place of a channel or a user ID of a platform.
    pub channel_id_replacement: String,
    /// What takes the place of a block of PEM.
    pub pem_replacement: String,
    /// What takes the place of a JSON web token.
    pub jwt_replacement: String,
    /// What takes the place of a URL.
    pub url_replacement: String,
    /// What takes the place of an IP address.
    pub ip_replacement: String,
    /// What takes the place of a MAC address.
    pub mac_replacement: String,
    /// More regular expressions, each with what takes the place of its matches (`\1` and `\g<name>`
    /// are groups), applied last.
    pub extra_patterns: Vec<(String, String)>,
    /// The fields to redact: strings, pairs of strings, `dialog_history`, and messages. Without it
    /// the text, `query`, `response`, `dialog_history` and `messages`.
    pub redact_keys: Option<Vec<String>>,
    /// Which of these fields is a list of messages.
    pub messages_key: Option<String>,
    /// More fields in which strings in lists, and strings under `file_path`, `path`, `file`,
    /// `arguments` and `file_paths`, are redacted at any depth.
    pub nested_keys: Vec<String>,
    #[serde(skip)]
    steps: Vec<Step>,
    #[serde(skip)]
    extra: Vec<(Regex, Replacement)>,
}

/// A pattern, its replacement, and whether a part of a match stays before it.
type Step = (&'static Pattern, String, bool);

impl Default for PiiRedactionMapper {
    fn default() -> Self {
        Self {
            mask_paths: true,
            mask_emails: true,
            mask_secrets: true,
            mask_ids: true,
            mask_phones: true,
            mask_id_cards: true,
            mask_channel_ids: true,
            mask_platform_open_ids: true,
            mask_pem: true,
            mask_jwt: true,
            mask_urls: false,
            mask_ips: true,
            mask_macs: true,
            path_replacement: "[PATH_REDACTED]".into(),
            email_replacement: "[EMAIL_REDACTED]".into(),
            secret_replacement: "[REDACTED]".into(),
            id_replacement: "[ID_REDACTED]".into(),
            phone_replacement: "[PHONE_REDACTED]".into(),
            id_card_replacement: "[ID_CARD_REDACTED]".into(),
            channel_id_replacement: "[CHANNEL_ID_REDACTED]".into(),
            pem_replacement: "[PEM_REDACTED]".into(),
            jwt_replacement: "[JWT_REDACTED]".into(),
            url_replacement: "[URL_REDACTED]".into(),
            ip_replacement: "[IP_REDACTED]".into(),
            mac_replacement: "[MAC_REDACTED]".into(),
            extra_patterns: Vec::new(),
            redact_keys: None,
            messages_key: Some("messages".into()),
            nested_keys: VALUE_KEYS.map(String::from).into(),
            steps: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl Operator for PiiRedactionMapper {
    const NAME: &'static str = "pii_redaction_mapper";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        // Data-Juicer's order: blocks first, then what may be a part of them.
        let all: [(bool, &str, &String, &[&'static Pattern], bool); 13] = [
            (
                self.mask_pem,
                "pem",
                &self.pem_replacement,
                &[&patterns::PEM],
                false,
            ),
            (
                self.mask_jwt,
                "jwt",
                &self.jwt_replacement,
                &[&patterns::JWT],
                false,
            ),
            (
                self.mask_urls,
                "url",
                &self.url_replacement,
                &[&patterns::URL],
                false,
            ),
            (
                self.mask_ips,
                "ip",
                &self.ip_replacement,
                &[&patterns::IPV4, &patterns::IPV6],
                false,
            ),
            (
                self.mask_macs,
                "mac",
                &self.mac_replacement,
                &[&patterns::MAC],
                false,
            ),
            (
                self.mask_paths,
                "path",
                &self.path_replacement,
                &[
                    &patterns::PATH_UNIX,
                    &patterns::PATH_WIN,
                    &patterns::PATH_UNC,
                ],
                true,
            ),
            (
                self.mask_emails,
                "email",
                &self.email_replacement,
                &[&patterns::EMAIL],
                false,
            ),
            (
                self.mask_secrets,
                "secret",
                &self.secret_replacement,
                &[&patterns::SECRET],
                true,
            ),
            (
                self.mask_ids,
                "id",
                &self.id_replacement,
                &[&patterns::ID],
                true,
            ),
            (
                self.mask_channel_ids,
                "channel_id",
                &self.channel_id_replacement,
                &[&patterns::CHANNEL],
                true,
            ),
            (
                self.mask_platform_open_ids,
                "channel_id",
                &self.channel_id_replacement,
                &[&patterns::FEISHU, &patterns::OPEN_ID],
                false,
            ),
            (
                self.mask_phones,
                "phone",
                &self.phone_replacement,
                &[&patterns::PHONE_CN, &patterns::PHONE_INTL],
                false,
            ),
            (
                self.mask_id_cards,
                "id_card",
                &self.id_card_replacement,
                &[&patterns::ID_CARD],
                false,
            ),
        ];
        let mut steps = Vec::new();
        for (masked, name, instead, patterns, keep) in all {
            if !masked {
                continue;
            }
            let named = |error: String| error.replace("`repl`", &format!("`{name}_replacement`"));
            let parsed = Replacement::parse(instead).map_err(named)?;
            if parsed.has_groups() {
                return Err(format!(
                    "`{name}_replacement` is `{instead}`: it cannot have groups of the pattern; write the text itself"
                ));
            }
            let mut literal = String::new();
            parsed.push_literal(&mut literal);
            steps.extend(
                patterns
                    .iter()
                    .map(|pattern| (*pattern, literal.clone(), keep)),
            );
        }
        self.steps = steps;
        self.extra = Vec::new();
        for (pattern, repl) in &self.extra_patterns {
            let named = |error: String| error.replace("`repl`", "`extra_patterns`");
            let regex = plain_pattern("extra_patterns", pattern)?;
            let repl = Replacement::parse(repl).map_err(named)?;
            repl.check(&regex).map_err(named)?;
            self.extra.push((regex, repl));
        }
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        let mut signature = Signature::default();
        for key in self.fields(common) {
            // The text is a string for all operators; other fields may contain anything.
            let column_type = if key == common.text_key {
                ColumnType::Utf8
            } else {
                ColumnType::Json
            };
            signature.reads.push(Input::optional(&key, column_type));
            signature.writes.push(Computed::new(key, column_type));
        }
        signature
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let redacted = self.redacted(common);
        let mut rejected: BTreeMap<u32, String> = BTreeMap::new();
        let mut updates = Vec::new();
        let (mut current, mut next) = (String::new(), String::new());
        for (field, key) in self.fields(common).into_iter().enumerate() {
            let (mut rows, mut values) = (Vec::new(), Texts::default());
            let texts = batch.texts(field)?;
            let times = redacted.iter().filter(|redacted| **redacted == key).count();
            for row in 0..batch.rows() {
                let Some(text) = texts.get(row) else { continue };
                if key == common.text_key {
                    let times = times + usize::from(VALUE_KEYS.contains(&key.as_str()));
                    let mut changed = false;
                    for _ in 0..times {
                        let from = if changed {
                            std::mem::take(&mut current)
                        } else {
                            String::new()
                        };
                        let from = if changed { from.as_str() } else { text };
                        if self.redact(from, &mut next) {
                            changed = true;
                            std::mem::swap(&mut current, &mut next);
                        } else if changed {
                            current = from.to_owned();
                        }
                    }
                    if changed && current != text {
                        rows.push(row as u32);
                        values.push(&current);
                    }
                    continue;
                }
                match self.redact_json(&key, times, text, &mut next) {
                    Ok(Some(redacted)) => {
                        rows.push(row as u32);
                        values.push(&redacted);
                    }
                    Ok(None) => {}
                    Err(Reject(reason)) => {
                        rejected.entry(row as u32).or_insert(reason);
                    }
                }
            }
            if !rows.is_empty() {
                let values = if key == common.text_key {
                    Column::Utf8(values)
                } else {
                    Column::Json(values)
                };
                updates.push(Update {
                    path: key,
                    rows: Some(rows),
                    values,
                });
            }
        }
        for update in &mut updates {
            without(update, &rejected);
        }
        updates.retain(|update| !update.values.is_empty());
        let rejection = |(row, reason)| Rejection { row, reason };
        Ok(Output::Updated {
            updates,
            rejected: rejected.into_iter().map(rejection).collect(),
        })
    }
}

impl PiiRedactionMapper {
    /// The fields of `redact_keys`.
    fn redacted(&self, common: &Common) -> Vec<String> {
        let default = || {
            [
                common.text_key.as_str(),
                "query",
                "response",
                "dialog_history",
                "messages",
            ]
            .map(String::from)
            .into()
        };
        self.redact_keys.clone().unwrap_or_else(default)
    }

    /// All fields to read, each once.
    fn fields(&self, common: &Common) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for key in self
            .redacted(common)
            .into_iter()
            .chain(self.nested_keys.iter().cloned())
        {
            if !fields.contains(&key) {
                fields.push(key);
            }
        }
        fields
    }

    /// The JSON text `json` of the field `key`, of which the field itself is redacted `times` times;
    /// None if nothing in it changes. `buffer` may hold anything.
    fn redact_json(
        &self,
        key: &str,
        times: usize,
        json: &str,
        buffer: &mut String,
    ) -> Result<Option<String>, Reject> {
        // Without a string in it there is nothing to do.
        if !json.contains('"') {
            return Ok(None);
        }
        let value = Value::parse(json).map_err(|wrong| Reject(format!("`{key}` {wrong}")))?;
        let mut splices = Splices::default();
        let mut is_unicode = true;
        let mut redact = |text: &Text<'_>| {
            is_unicode &= text.is_unicode();
            splices.change(text, |text| {
                self.redact(text, buffer).then(|| std::mem::take(buffer))
            });
        };
        let is_messages = self.messages_key.as_deref() == Some(key);
        for _ in 0..times {
            redact_field(key, is_messages, &value, &mut redact);
        }
        redact_nested(key, times > 0, &value, &mut redact);
        if !is_unicode {
            return Err(Reject(format!("`{key}` holds a lone surrogate")));
        }
        Ok(splices.of(json))
    }

    /// Writes the redacted text to `out`; returns false if nothing was found.
    fn redact(&self, text: &str, out: &mut String) -> bool {
        // Even a pattern that matches the empty string leaves an empty text unchanged.
        if text.is_empty() {
            return false;
        }
        let mut before: Option<String> = None;
        for (pattern, instead, keep) in &self.steps {
            out.clear();
            if pattern.replace(before.as_deref().unwrap_or(text), instead, *keep, out) {
                before = Some(std::mem::take(out));
            }
        }
        for (regex, repl) in &self.extra {
            out.clear();
            if replace(regex, repl, before.as_deref().unwrap_or(text), out) {
                before = Some(std::mem::take(out));
            }
        }
        match before {
            Some(before) => {
                *out = before;
                true
            }
            None => false,
        }
    }
}

/// Takes the rows out of the update that are rejected: it may name none of them.
fn without(update: &mut Update, rejected: &BTreeMap<u32, String>) {
    let Some(rows) = update
        .rows
        .as_mut()
        .filter(|rows| rows.iter().any(|row| rejected.contains_key(row)))
    else {
        return;
    };
    let stays: Vec<bool> = rows.iter().map(|row| !rejected.contains_key(row)).collect();
    let kept = |texts: &Texts| -> Texts {
        let values = (0..texts.len()).map(|i| texts.value(i));
        values
            .zip(&stays)
            .filter(|(_, stays)| **stays)
            .map(|(text, _)| text)
            .collect()
    };
    match &mut update.values {
        Column::Utf8(texts) | Column::Json(texts) => *texts = kept(texts),
        _ => {}
    }
    rows.retain(|row| !rejected.contains_key(row));
}

/// Like Python's `sub`: an empty match may directly follow one that is not empty.
fn replace(regex: &Regex, repl: &Replacement, text: &str, out: &mut String) -> bool {
    let (mut done, mut from) = (0, 0);
    let mut any = false;
    while from <= text.len() {
        let Some(groups) = regex.captures_at(text, from) else {
            break;
        };
        let (start, end) = groups
            .get(0)
            .map_or((from, from), |all| (all.start(), all.end()));
        out.push_str(&text[done..start]);
        repl.push(&groups, out);
        done = end;
        from = if end > start {
            end
        } else {
            end + text[end..].chars().next().map_or(1, char::len_utf8)
        };
        any = true;
    }
    if any {
        out.push_str(&text[done..]);
    }
    any
}

#[cfg(test)]
mod tests;
