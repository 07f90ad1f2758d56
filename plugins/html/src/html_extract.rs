//! `html_extract_mapper`

use crate::dom::Dom;
use crate::extract::{self, Settings};
use crate::parse::parse;
use crate::select::Rules;
use djhost_sdk::prelude::*;
use std::borrow::Cow;

/// How the text is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The main text, as trafilatura finds it.
    Main,
    /// All visible text but navigation and the like, as resiliparse finds it: several times as fast.
    Plain,
}

/// What matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Favor {
    /// Less text, but right.
    Precision,
    /// Both.
    Balanced,
    /// More text, even when unsure.
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

/// Extracts the main text of an HTML page.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HtmlExtractMapper {
    /// The field with the page.
    pub html_key: String,
    /// How the text is found.
    pub method: Method,
    /// What matters more.
    pub favor: Favor,
    /// Take tables.
    pub include_tables: bool,
    /// Keep links as Markdown.
    pub include_links: bool,
    /// Take comments too, behind the text.
    pub include_comments: bool,
    /// Mark headings, emphasis and the like as Markdown does.
    pub include_formatting: Option<bool>,
    /// What the text is written as.
    pub output_format: OutputFormat,
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
            tools: None,
        }
    }
}

impl Mapper for HtmlExtractMapper {
    const NAME: &'static str = "html_extract_mapper";
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
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
                formatting: self
                    .include_formatting
                    .unwrap_or(self.output_format == OutputFormat::Markdown),
            },
        });
        Ok(())
    }

    fn inputs(&self, _common: &Common) -> Vec<Input> {
        vec![Input::required(&self.html_key, ColumnType::Utf8)]
    }

    fn writes(&self, common: &Common) -> Vec<String> {
        vec![common.text_key.clone()]
    }

    fn map(&mut self, row: Row<'_>, out: &mut Changes) -> Result<(), Reject> {
        let html: Cow<'_, str> = row.text(0).unwrap_or_default().into();
        let tools = self.tools.as_mut().expect("prepared");
        tools.dom.clear();
        let mut text = String::new();
        if let Some(root) = parse(&mut tools.dom, &html) {
            extract::extract(&mut tools.dom, root, &tools.rules, &tools.settings, &mut text);
        }
        out.set(0, &text);
        Ok(())
    }
}
