//! `html_extract_mapper`

use crate::dom::Dom;
use crate::extract::{self, Settings};
use crate::metadata;
use crate::output::without_controls;
use crate::parse::{page, parse};
use crate::plain::{self, MainContent};
use crate::select::Rules;
use djhost_sdk::DROPPED;
use djhost_sdk::prelude::*;

/// How the text is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The main text, as trafilatura finds it.
    Main,
    /// All visible text, as resiliparse finds it: several times as fast.
    Plain,
}

/// What matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Favor {
    /// Less text, but what is taken is main text.
    Precision,
    /// Both alike.
    Balanced,
    /// More text, even where it may be none.
    Recall,
}

/// What the text is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
}

/// Extracts the main text of HTML pages, as trafilatura or resiliparse do.
///
/// The text goes into the text field; it is empty where a page has none. Elements nested deeper than
/// 255 are left out, and their text goes to the one around them. A page that takes too long goes to
/// quarantine by the job's time limit.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HtmlExtractMapper {
    /// The field with the HTML.
    pub html_key: String,
    /// How the text is found: `main`, by trafilatura's rules, or `plain`, by resiliparse's, which is
    /// faster, takes more, and has only `main_content` and `include_comments` to choose.
    pub method: Method,
    /// What matters more where it is unclear what is main text: `precision`, `balanced` or `recall`.
    pub favor: Favor,
    /// Take tables.
    pub include_tables: bool,
    /// Keep the targets of links, as `[text](target)`.
    pub include_links: bool,
    /// Take comments of readers, behind the main text.
    pub include_comments: bool,
    /// Mark headings, emphasis, code and lists as in Markdown; null: if `output_format` is
    /// `markdown`.
    pub include_formatting: Option<bool>,
    /// What the text is written as: `text` or `markdown`.
    pub output_format: OutputFormat,
    /// With `method: plain`: leave out navigation, advertisements and the like.
    pub main_content: bool,
    /// Drop rows whose page has no text, with the reason `no_text`. Otherwise their text is empty.
    pub drop_empty: bool,
    /// The field for the title of the page, which is empty if it has none; null: no such field.
    pub title_key: Option<String>,
    /// The field for the names of its authors, with `; ` between them; null: none.
    pub author_key: Option<String>,
    /// The field for the date of publication that the page names, as `2024-12-31`; null: none.
    pub date_key: Option<String>,
    /// The field for the language that the page names, as `en`; null: none.
    pub language_key: Option<String>,
    #[serde(skip)]
    tools: Option<Tools>,
}

struct Tools {
    rules: Rules,
    dom: Dom,
    settings: Settings,
}

impl Default for HtmlExtractMapper {
    fn default() -> Self {
        Self {
            html_key: "html".into(),
            method: Method::Main,
            favor: Favor::Balanced,
            include_tables: true,
            include_links: false,
            include_comments: true,
            include_formatting: None,
            output_format: OutputFormat::Text,
            main_content: true,
            drop_empty: false,
            title_key: None,
            author_key: None,
            date_key: None,
            language_key: None,
            tools: None,
        }
    }
}

/// A text of a page that goes into a field of its own.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Title,
    Author,
    Date,
    Language,
}

impl HtmlExtractMapper {
    /// What goes into which field besides the text.
    fn facts(&self) -> impl Iterator<Item = (Fact, &String)> {
        [
            (Fact::Title, &self.title_key),
            (Fact::Author, &self.author_key),
            (Fact::Date, &self.date_key),
            (Fact::Language, &self.language_key),
        ]
        .into_iter()
        .filter_map(|(fact, key)| Some((fact, key.as_ref()?)))
    }

    /// The text of a page, and the facts that are asked for.
    fn extract(&mut self, html: &str) -> (String, Vec<String>) {
        let mut tools = self.tools.take().expect("`prepare` was called");
        tools.dom.clear();
        let dom = &mut tools.dom;
        let (mut text, mut facts) = (String::new(), Vec::new());
        let root = parse(dom, html);
        for (fact, _) in self.facts() {
            let found = root.and_then(|root| match fact {
                Fact::Title => metadata::title(dom, root),
                Fact::Author => metadata::author(dom, root),
                Fact::Date => metadata::date(dom, root),
                Fact::Language => metadata::language(dom, root),
            });
            facts.push(without_controls(&found.unwrap_or_default()).into_owned());
        }
        if let Some(root) = root {
            match self.method {
                Method::Main => {
                    if let Some(root) = page(dom, html, root) {
                        extract::extract(dom, root, &tools.rules, &tools.settings, &mut text);
                    }
                }
                Method::Plain => {
                    let rules = MainContent {
                        only: self.main_content,
                        comments: self.include_comments,
                    };
                    plain::extract(dom, root, &rules, &mut text);
                }
            }
        }
        self.tools = Some(tools);
        (text, facts)
    }
}

impl Operator for HtmlExtractMapper {
    const NAME: &'static str = "html_extract_mapper";
    const TRAITS: Traits = Traits::NONE.gives_drop_reasons();
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        let markdown = self.output_format == OutputFormat::Markdown;
        if self.method == Method::Plain {
            let chosen = [
                (markdown, "`output_format: markdown`"),
                (
                    self.include_formatting == Some(true),
                    "`include_formatting`",
                ),
                (self.include_links, "`include_links`"),
                (!self.include_tables, "`include_tables: false`"),
                (self.favor != Favor::Balanced, "`favor`"),
            ];
            if let Some((_, name)) = chosen.iter().find(|(chosen, _)| *chosen) {
                return Err(format!(
                    "{name} has no effect with `method: plain`; remove it, or use `method: main`"
                ));
            }
        }
        let keys: Vec<&String> = self.facts().map(|(_, key)| key).collect();
        for (i, key) in keys.iter().enumerate() {
            if key.is_empty() || keys[..i].contains(key) {
                return Err(format!(
                    "`title_key`, `author_key`, `date_key` and `language_key` must name different fields, not `{key}`"
                ));
            }
        }
        self.tools = Some(Tools {
            rules: Rules::new(),
            dom: Dom::default(),
            settings: Settings {
                favor: match self.favor {
                    Favor::Precision => extract::Favor::Precision,
                    Favor::Balanced => extract::Favor::Balanced,
                    Favor::Recall => extract::Favor::Recall,
                },
                tables: self.include_tables,
                links: self.include_links,
                comments: self.include_comments,
                formatting: self.include_formatting.unwrap_or(markdown),
            },
        });
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        let keys = [&common.text_key]
            .into_iter()
            .chain(self.facts().map(|(_, key)| key));
        Signature {
            reads: vec![Input::required(&self.html_key, ColumnType::Utf8)],
            writes: keys
                .map(|key| Computed::new(key, ColumnType::Utf8))
                .collect(),
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let pages = batch.texts(0)?;
        let keys: Vec<String> = [&common.text_key]
            .into_iter()
            .chain(self.facts().map(|(_, key)| key))
            .cloned()
            .collect();
        let mut columns: Vec<Texts> = keys.iter().map(|_| Texts::default()).collect();
        let (mut origins, mut reasons) = (Vec::new(), Vec::new());
        for row in 0..batch.rows() {
            let (text, facts) = self.extract(pages.value(row));
            let is_dropped = self.drop_empty && text.is_empty();
            if is_dropped && !common.drop_reasons {
                continue;
            }
            origins.push(row as u32);
            reasons.push(is_dropped.then_some("no_text"));
            columns[0].push(&text);
            for (column, fact) in columns[1..].iter_mut().zip(&facts) {
                column.push(fact);
            }
        }
        let columns = keys.into_iter().zip(columns);
        if self.drop_empty {
            let is_told = reasons.iter().any(Option::is_some);
            let reasons = is_told.then(|| (DROPPED.to_owned(), reasons.into_iter().collect()));
            let fields = columns.chain(reasons).map(|(path, texts)| Field {
                path,
                values: Column::Utf8(texts),
            });
            return Ok(Output::Rows {
                origins,
                fields: fields.collect(),
                rejected: Vec::new(),
            });
        }
        let updates = columns.map(|(path, texts)| Update {
            path,
            rows: None,
            values: Column::Utf8(texts),
        });
        Ok(Output::Updated {
            updates: updates.collect(),
            rejected: Vec::new(),
        })
    }
}
