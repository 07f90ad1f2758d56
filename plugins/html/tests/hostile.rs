//! Pages made to break a parser: each ends soon, with a text.

use djhost_sdk::{Output, Runner};
use serde_json::json;

const METHODS: [&str; 4] = [
    r#"{"author_key": "a", "title_key": "t", "date_key": "d", "language_key": "l"}"#,
    r#"{"favor": "recall", "output_format": "markdown", "include_links": true}"#,
    r#"{"favor": "precision"}"#,
    r#"{"method": "plain"}"#,
];

/// The operator with each set of parameters.
struct Methods(Vec<Runner>);

impl Methods {
    fn new() -> Self {
        let runner = |params| Runner::new(djhost_html::operators()[0], params).unwrap();
        Self(METHODS.into_iter().map(runner).collect())
    }

    /// The texts that all find in a page.
    fn texts(&mut self, html: &str) -> Vec<String> {
        let text = |runner: &mut Runner| {
            let batch = runner.batch(&[json!({ "html": html })]);
            match runner.process(&batch) {
                Ok(Output::Updated { updates, rejected }) => {
                    assert!(rejected.is_empty(), "{rejected:?}");
                    updates[0].values.texts().unwrap().value(0).to_owned()
                }
                other => panic!("{other:?}"),
            }
        };
        self.0.iter_mut().map(text).collect()
    }
}

#[test]
fn deep_pages_keep_their_text() {
    let mut methods = Methods::new();
    const DEEP: usize = 10_000;
    for tag in [
        "div",
        "b",
        "span",
        "p",
        "a",
        "ul",
        "li",
        "td",
        "table",
        "blockquote",
        "q",
        "x-y",
        "svg",
        "form",
    ] {
        let html = format!(
            "<html><body><p>Before it is a paragraph of some words.</p>{}within{}<p>Behind it is a paragraph of other words.</p>",
            format!("<{tag}>").repeat(DEEP),
            format!("</{tag}>").repeat(DEEP),
        );
        for text in methods.texts(&html) {
            assert!(text.contains("Before it is"), "{tag}: {text:.100}");
        }
    }
    let lists = "<ul><li>a <b>c</b>".repeat(DEEP);
    let tables = "<table><tr><td>a".repeat(DEEP);
    for html in [lists, tables] {
        // Lists at the top are navigation for `plain`.
        for text in &methods.texts(&format!("<html><body>{html}"))[..3] {
            assert!(text.contains('a'), "{text}");
        }
    }
}

#[test]
fn a_million_open_elements_are_no_danger() {
    let mut methods = Methods::new();
    let html = format!("<html><body>{}text of the page", "<div>".repeat(1_000_000));
    let texts = methods.texts(&html);
    // With `precision` a text in nothing but a `div` is none.
    for text in [&texts[0], &texts[1], &texts[3]] {
        assert_eq!(text, "text of the page");
    }
}

#[test]
fn endless_pages_end() {
    let mut methods = Methods::new();
    const SIZE: usize = 40_000;
    for part in [
        "<p>x",
        "<td>x</td>",
        "<tr>",
        "<table>",
        "<a ",
        "<a b='",
        "<a b=\"x",
        "<a b=c ",
        "<a class=x id=y ",
        "<!--",
        "<!-- --",
        "<!-- --!",
        "<![CDATA[",
        "<?",
        "</",
        "</a",
        "</p>",
        "<b>",
        "&#",
        "&a",
        "&#x",
        "&amp",
        "<script>",
        "</script",
        "<br>",
        "<br>x",
        "<p><br>",
        "] ]",
        "<a/",
        "<a =",
        "<a\0",
        "\0",
        "<x1>",
        "<pre> ",
        "<title>",
        "<textarea>",
        "<a href=x>y</a>",
        "<li><a href=x>y</a>",
        "<ul><li>x</ul>",
        "<i>x</i> ",
        "<div>x</div>",
        "<div><p>x</p></div>",
        "<h1>x",
        "<option>",
        "<select>",
        "<blockquote>x</blockquote>",
        "<code>{</code>",
        "\\( ",
        "\\[",
        "`",
        "``` ",
        "[",
        "*",
        "<hr>",
        "<dl><dt>x<dd>y</dl>",
        "<td rowspan=99 colspan=99>x",
        "<html>",
        "<body>",
        "<head>",
        "<meta content=x name=author>",
        "<script type=application/ld+json>{\"@type\":\"Product\"}</script>",
        "<math alttext=x>",
        "<iframe>",
        "<form>x</form>",
        "\u{feff}",
        "\u{e000}",
        "<del>x</del>",
        "<sup>x</sup>y",
        "<div class=comments><p>x</div>",
        "<div class=sidebar>x</div>",
        "<article>x</article>",
        "e\u{301}",
    ] {
        let html = format!("<html><body>{}", part.repeat(SIZE / part.len()));
        methods.texts(&html);
    }
}

#[test]
fn attributes_without_end_take_no_time() {
    let mut methods = Methods::new();
    for part in ["a=1 ", "class=x ", "a", "=", "/", "x='", "x=\"y\" "] {
        let html = format!(
            "<html><body><div {}>text of the page</div>",
            part.repeat(200_000)
        );
        methods.texts(&html);
    }
    let numbered: String = (0..50_000).map(|i| format!("a{i}={i} ")).collect();
    for text in methods.texts(&format!("<html><body><p {numbered}>text of the page</p>")) {
        assert_eq!(text, "text of the page");
    }
}

#[test]
fn odd_characters_are_no_danger() {
    let mut methods = Methods::new();
    for html in [
        "<html><body><p>a\0b\u{1}c\u{fffe}d\u{ffff}e</p>",
        "<html><body><p \u{0}class=\u{fffd}>\u{fffd}\u{fffd}</p>",
        "<html><body><p>\u{202e}right\u{202c} \u{200b}zero\u{ad}soft</p>",
        "<html><body><é>x</é><p é=é>y</p>",
        "<html><body>&#0;&#xFFFFFFFF;&#xD800;&#128;</body>",
        "\u{feff}<html><body><p>text</p>",
    ] {
        methods.texts(html);
    }
    assert_eq!(methods.texts("<html><body><p>a\0b\u{1}c</p>")[0], "abc");
}
