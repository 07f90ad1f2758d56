//! The page: one HTML file without any other file.
//!
//! # Why there is no chart library
//!
//! The page needs bars, thresholds that can be dragged, spans of time, and a table behind each chart.
//! uPlot (50 kB, MIT) draws lines of time series on a canvas: bars, thresholds, labels for screen
//! readers, and paper would still be ours. Observable Plot with D3 (270 kB) and Vega-Lite (800 kB)
//! do more than all of this, and Vega compiles expressions with `eval`, which our policy forbids. `page/`
//! draws SVG in some 150 lines: it takes colours from the style sheet in both themes, prints sharply,
//! and needs no build step.
//!
//! # Hostile rows
//!
//! Rows are somebody's text. The data is in a block that browsers do not run, with every `<`, `>`,
//! `&`, U+2028 and U+2029 escaped, so no text can end it. The script puts text into the page as text
//! nodes only. The content security policy allows just the script and the style sheet with these
//! hashes, no inline handlers, no images, forms or frames, no network except for the live page's own
//! server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::document::Document;
use super::examples::shorten_all;

/// The first line of every page, so that an older one may be replaced.
pub const MARK: &str = "<!doctype html><!-- djhost report -->";

/// Bytes of the data in a page, beyond which texts are cut.
const DATA: usize = 2_900_000;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("page/dom.js"),
    include_str!("page/charts.js"),
    include_str!("page/what_if.js"),
    include_str!("page/stats.js"),
    include_str!("page/sections.js"),
    include_str!("page/main.js"),
    "})();\n"
);

/// What the page has.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The job, and another one to compare it with.
    pub jobs: Vec<Document>,
    /// Where a live page gets newer data, in milliseconds; None: it shows what it has.
    pub refresh_ms: Option<u64>,
}

impl Page {
    /// A page of one job, or two side by side.
    pub fn new(jobs: Vec<Document>) -> Self {
        let refresh_ms = None;
        Self { jobs, refresh_ms }
    }

    /// The data alone.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The whole page, of at most 3 MB: where the texts of rows are too long, they are cut.
    pub fn html(&self) -> anyhow::Result<String> {
        let (mut data, mut most) = (inert(&self.json()?), 400);
        let mut cut = self.clone();
        while data.len() > DATA && most >= 25 {
            cut.jobs.iter_mut().for_each(|job| shorten_all(job, most));
            data = inert(&cut.json()?);
            most /= 2;
        }
        let title = self.jobs.first().map_or("", |job| job.job.job_id.as_str());
        Ok(format!(
            "{MARK}\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{} · djhost</title>\n<style>{STYLE}</style></head>\n\
             <body><noscript>This page draws its charts with a script that is part of it.</noscript>\n\
             <div id=\"page\"></div>\n\
             <script type=\"application/json\" id=\"data\">{}</script>\n\
             <script>{SCRIPT}</script></body></html>\n",
            policy(self.refresh_ms.is_some()),
            escaped(title),
            data,
        ))
    }
}

/// The content security policy: a page that is `live` may ask its server.
pub(super) fn policy(live: bool) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let connect = if live { "'self'" } else { "'none'" };
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src {connect}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// JSON that cannot end the block it is in.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            // Within JSON these are in strings only.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\u{2028}' | '\u{2029}' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::JobFacts;
    use crate::report::examples::{OpExamples, Row, Sample};

    #[test]
    fn no_text_ends_the_data_or_the_title() {
        let hostile = "</script><script>alert(1)</script>\u{2028}<!-- &amp; ]]>";
        let job = Document {
            job: JobFacts {
                job_id: hostile.to_owned(),
                ..JobFacts::default()
            },
            recipe: hostile.to_owned(),
            ..Document::default()
        };
        let html = Page::new(vec![job]).html().unwrap();
        assert_eq!(
            html.matches("</script>").count(),
            2,
            "data and script end once"
        );
        assert_eq!(html.matches("<script").count(), 2);
        assert!(!html.contains("alert(1)</script>") && !html.contains('\u{2028}'));
        let start = html.find("id=\"data\">").unwrap() + "id=\"data\">".len();
        let end = html[start..].find("</script>").unwrap() + start;
        let data: serde_json::Value = serde_json::from_str(&html[start..end]).unwrap();
        assert_eq!(
            data["jobs"][0]["recipe"], hostile,
            "the text is what it was"
        );
    }

    #[test]
    fn a_page_stays_small_whatever_rows_have() {
        let sample = Sample {
            row: Row::default(),
            field: "text".to_owned(),
            before: "<".repeat(600),
            after: "\u{2028}".repeat(600),
        };
        let of_op = OpExamples {
            changed: vec![sample; 10],
            ..OpExamples::default()
        };
        let job = Document {
            examples: vec![of_op; 300],
            ..Document::default()
        };
        let html = Page::new(vec![job.clone(), job]).html().unwrap();
        assert!(html.len() < 3_000_000, "{}", html.len());
    }

    #[test]
    fn the_script_and_the_style_cannot_end_their_blocks() {
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("</"));
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute('on",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }
}
