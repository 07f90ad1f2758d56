//! The parameters of `html_extract_mapper`.

use djhost_sdk::Runner;
use serde_json::{Value, json};

const PAGE: &str = r#"<!DOCTYPE html><html lang="en-GB"><head><title>The ferry | Harbour News</title>
<meta name="author" content="by Ada Bridge and Tom Garden"><meta property="article:published_time" content="2021-03-04T10:00:00Z"></head>
<body><nav><a href="/">Home</a></nav><article><h1>The ferry leaves at nine</h1>
<p>On weekdays the <b>first ferry</b> leaves the <a href="/harbour">harbour</a> at nine, and the last one comes back in the evening.</p>
<table><tr><th>Day</th><th>Time</th></tr><tr><td>Monday</td><td>nine o'clock in the morning</td></tr></table>
<p>In winter there is no ferry on Sundays, when the harbour is closed to all ships, and the bus takes its place until the spring.</p></article>
<div id="comments"><div class="comment-list"><p>A reader has something to say about the ferry.</p></div></div></body></html>"#;

/// The row that becomes of a page.
fn row(params: Value, html: &str) -> Option<Value> {
    let mut runner = Runner::new(djhost_html::operators()[0], &params.to_string()).unwrap();
    let row = json!({ "html": html, "kept": 1 }).to_string();
    let rows = runner.map_json(&[&row]);
    rows.first().map(|row| serde_json::from_str(row).unwrap())
}

fn text(params: Value) -> String {
    row(params, PAGE).unwrap()["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn parts_are_taken_or_left_out() {
    let all = text(json!({}));
    for part in [
        "| Day | Time |",
        "first ferry leaves the harbour at nine",
        "A reader has",
    ] {
        assert!(all.contains(part), "{all}");
    }
    assert!(!all.contains("Home"), "{all}");
    assert!(!text(json!({"include_tables": false})).contains("Monday"));
    assert!(!text(json!({"include_comments": false})).contains("A reader has"));
    assert!(text(json!({"include_links": true})).contains("[harbour](/harbour)"));
    let markdown = text(json!({"output_format": "markdown"}));
    assert!(
        markdown
            .starts_with("# The ferry leaves at nine\n\nOn weekdays the **first ferry** leaves"),
        "{markdown}"
    );
    assert_eq!(markdown, text(json!({"include_formatting": true})));
    assert_eq!(
        all,
        text(json!({"output_format": "markdown", "include_formatting": false}))
    );
    let plain = text(json!({"method": "plain"}));
    assert!(
        plain.contains("Day\t\tTime\n") && !plain.contains("Home"),
        "{plain}"
    );
    assert!(text(json!({"method": "plain", "main_content": false})).contains("Home"));
}

#[test]
fn facts_go_into_fields() {
    let keys = json!({"title_key": "title", "author_key": "meta.author", "date_key": "date", "language_key": "lang"});
    let found = row(keys.clone(), PAGE).unwrap();
    assert_eq!(found["title"], "The ferry leaves at nine");
    assert_eq!(found["meta"]["author"], "Ada Bridge; Tom Garden");
    assert_eq!(found["date"], "2021-03-04");
    assert_eq!(found["lang"], "en");
    assert_eq!(found["kept"], 1);
    let nothing = row(keys, "<html><body><p>text</p></body></html>").unwrap();
    assert_eq!(
        (&nothing["title"], &nothing["date"]),
        (&json!(""), &json!(""))
    );
}

#[test]
fn pages_without_text_are_empty_or_dropped() {
    for html in [
        "",
        " ",
        "<html></html>",
        "<html><body><script>f()</script></body></html>",
        "no page",
    ] {
        assert_eq!(row(json!({}), html).unwrap()["text"], "", "{html}");
        assert_eq!(row(json!({"drop_empty": true}), html), None, "{html}");
    }
    let kept = row(json!({"drop_empty": true, "title_key": "title"}), PAGE).unwrap();
    assert_eq!(kept["title"], "The ferry leaves at nine");
}

#[test]
fn wrong_parameters_are_named() {
    for (params, word) in [
        (
            r#"{"method": "plain", "favor": "recall"}"#,
            "`favor` has no effect",
        ),
        (
            r#"{"method": "plain", "output_format": "markdown"}"#,
            "`output_format: markdown`",
        ),
        (
            r#"{"title_key": "a", "date_key": "a"}"#,
            "must name different fields, not `a`",
        ),
        (r#"{"author_key": ""}"#, "must name different fields"),
        (r#"{"favor": "speed"}"#, "speed"),
    ] {
        let error = Runner::new(djhost_html::operators()[0], params)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{params}: {error}");
    }
}
