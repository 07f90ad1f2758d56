//! `extract_tables_from_html_mapper`

use crate::soup::read;
use crate::tables::Tables;
use djhost_sdk::prelude::*;

/// Takes the tables of HTML into a field: of each table its rows, of each row the texts of its
/// cells.
///
/// The field is a list of tables, in the order in which they start; a table within another one is
/// in the list too, and its rows are rows of both. Tables without cells are left out. A row that
/// has the field already stays as it is. The HTML is read tag by tag, as Python's `html.parser` and
/// Beautiful Soup read it: what is not closed goes on.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExtractTablesFromHtmlMapper {
    /// The name of the field, under `__dj__meta__`.
    pub tables_field_name: String,
    /// Take each table as it stands, with its tags, as one string.
    pub retain_html_tags: bool,
    /// Take rows with header cells (`<th>`) too. Has no effect with `retain_html_tags`.
    pub include_header: bool,
}

impl Default for ExtractTablesFromHtmlMapper {
    fn default() -> Self {
        Self {
            tables_field_name: "html_tables".into(),
            retain_html_tags: false,
            include_header: true,
        }
    }
}

impl ExtractTablesFromHtmlMapper {
    fn path(&self) -> String {
        format!("__dj__meta__.{}", self.tables_field_name)
    }

    /// Appends the tables of a text as JSON.
    fn tables(&self, text: &str, out: &mut String) -> Result<(), Reject> {
        if !has_table(text.as_bytes()) {
            out.push_str("[]");
            return Ok(());
        }
        let mut tables = Tables::new(self.retain_html_tags);
        read(text, &mut tables)?;
        tables.write(text.len(), self.include_header, out)
    }
}

impl Operator for ExtractTablesFromHtmlMapper {
    const NAME: &'static str = "extract_tables_from_html_mapper";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        match self.tables_field_name.is_empty() || self.tables_field_name.contains('.') {
            true => Err("`tables_field_name` must be a name without dots".into()),
            false => Ok(()),
        }
    }

    fn signature(&self, common: &Common) -> Signature {
        Signature {
            reads: vec![
                Input::required(&common.text_key, ColumnType::Utf8),
                Input::optional(self.path(), ColumnType::Json),
            ],
            writes: vec![Computed::new(self.path(), ColumnType::Json)],
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let given = batch.fields.get(1).and_then(|field| field.values.texts());
        let (mut rows, mut values, mut rejected) = (Vec::new(), Texts::default(), Vec::new());
        for row in 0..batch.rows() {
            if given.is_some_and(|given| given.get(row).is_some()) {
                continue;
            }
            let mut tables = String::new();
            match self.tables(texts.value(row), &mut tables) {
                Ok(()) => {
                    values.push(&tables);
                    rows.push(row as u32);
                }
                Err(Reject(reason)) => rejected.push(Rejection {
                    row: row as u32,
                    reason,
                }),
            }
        }
        let update = Update {
            path: self.path(),
            rows: Some(rows),
            values: Column::Json(values),
        };
        Ok(Output::Updated {
            updates: if update.values.is_empty() {
                Vec::new()
            } else {
                vec![update]
            },
            rejected,
        })
    }
}

/// Whether the text may contain a table.
fn has_table(html: &[u8]) -> bool {
    memchr::memchr_iter(b'<', html).any(|at| {
        html[at + 1..]
            .get(..5)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"table"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;
    use serde_json::{Value, json};

    fn tables(params: &str, html: &str) -> Value {
        let row = json!({ "text": html }).to_string();
        let row = Runner::new(operator!(ExtractTablesFromHtmlMapper), params)
            .unwrap()
            .map_json(&[&row])
            .remove(0);
        serde_json::from_str::<Value>(&row).unwrap()["__dj__meta__"]["html_tables"].take()
    }

    #[test]
    fn tables_are_taken_as_beautiful_soup_takes_them() {
        for (html, found) in [
            ("no table", json!([])),
            (
                "<table></table><TABLE><tr><td> a &amp; <b> b </b>c<td>d</table>",
                json!([[["a &bcd"]]]),
            ),
            (
                "<table><tr><th>h</th></tr><tr><td>1</td><td/></tr><tr></tr></table>",
                json!([[["h"], ["1", ""]]]),
            ),
            (
                "<table><tr><td>1<table><tr><td>2</td></tr></table></td></tr></table>",
                json!([[["12"], ["2"]], [["2"]]]),
            ),
            (
                "<table><tbody><tr><td>x<!-- c --><script>s</script>\ty</td></tr>",
                json!([[["xy"]]]),
            ),
        ] {
            assert_eq!(tables("{}", html), found, "{html}");
        }
        let html = "<table><tr><th>h</th></tr><tr><td class=' x  y' a>1<br></td></tr></table>";
        assert_eq!(
            tables(r#"{"include_header": false}"#, html),
            json!([[["1"]]])
        );
        let kept =
            "<table><tr><th>h</th></tr><tr><td a=\"\" class=\"x y\">1<br/></td></tr></table>";
        assert_eq!(tables(r#"{"retain_html_tags": true}"#, html), json!([kept]));
    }

    #[test]
    fn a_field_that_is_there_stays() {
        let rows = [r#"{"text":"<table><tr><td>1","__dj__meta__":{"html_tables":"mine"}}"#];
        assert_eq!(
            Runner::new(operator!(ExtractTablesFromHtmlMapper), "{}")
                .unwrap()
                .map_json(&rows),
            rows
        );
    }

    #[test]
    fn hostile_documents_take_no_time() {
        for retain in ["true", "false"] {
            let params = format!(r#"{{"retain_html_tags": {retain}}}"#);
            let mut runner = Runner::new(operator!(ExtractTablesFromHtmlMapper), &params).unwrap();
            for part in [
                "<td>x</td>",
                "<tr>",
                "<td>",
                "<table>",
                "<table><tr><td>x",
                "<a ",
                "<a b='",
                "<a b=\"x",
                "<!--",
                "<!-- --",
                "<![CDATA[",
                "<?",
                "</",
                "</a",
                "<b>",
                "&#",
                "&a",
                "&#x",
                "<script>",
                "</script",
                "<br>",
                "<br></p>",
                "] ]",
                "<a/",
                "<a =",
                "<a\0",
                "-- ",
                "<x1>",
                "<pre> ",
                "<td a=1 b=2 ",
            ] {
                let html = format!("<table><tr>{}", part.repeat(400_000 / part.len()));
                match runner.process(&Runner::text_batch(&[&html])) {
                    Ok(Output::Updated { .. }) => {}
                    other => panic!("{part:?}: {other:?}"),
                }
            }
        }
    }
}
