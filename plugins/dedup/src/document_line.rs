//! `document_line_deduplicator`

use crate::letters::Letters;
use djhost_sdk::prelude::*;
use djhost_sdk::text::{code_points, lower_into, strip};
use djhost_sdk::{COUNTS, Lists};

/// Removes lines that many documents have, such as navigation, boilerplate and notices.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DocumentLineDeduplicator {
    /// Lines of more than this many documents are removed.
    pub frequency_threshold: i64,
    /// Compare in lower case.
    pub lowercase: bool,
    /// Compare without white space, digits and ASCII punctuation.
    pub ignore_special_character: bool,
    /// Lines with fewer characters, those of white space at both ends not counted, stay.
    pub min_line_length: i64,
    /// Lines of brackets and semicolons only stay.
    pub skip_brackets: bool,
    /// Lines that begin with `#` stay.
    pub skip_markdown_headers: bool,
    /// Lines that begin with `\begin{` or `\end{` stay.
    pub skip_latex_env: bool,
    /// Lines of one HTML tag stay.
    pub skip_html_tags: bool,
    #[serde(skip)]
    lower: String,
    #[serde(skip)]
    letters: Letters,
}

impl Default for DocumentLineDeduplicator {
    fn default() -> Self {
        Self {
            frequency_threshold: 6,
            lowercase: false,
            ignore_special_character: false,
            min_line_length: 2,
            skip_brackets: true,
            skip_markdown_headers: true,
            skip_latex_env: true,
            skip_html_tags: true,
            lower: String::new(),
            letters: Letters::default(),
        }
    }
}

/// The key of lines in which nothing is left to compare: they equal each other, and the empty key
/// means that a line has no key.
const NOTHING: &str = "\n";

impl Operator for DocumentLineDeduplicator {
    const NAME: &'static str = "document_line_deduplicator";
    const TRAITS: Traits = Traits::NONE.counted_keys();
    const KIND: Kind = Kind::Deduplicator;
    const COST: Cost = Cost::Light;

    fn signature(&self, common: &Common) -> Signature {
        Signature {
            reads: vec![Input::required(&common.text_key, ColumnType::Utf8)],
            writes: vec![Computed::new(&common.text_key, ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        match batch.fields.get(1) {
            Some(Field {
                path,
                values: Column::F64List(counts),
            }) if path == COUNTS => {
                self.without_frequent(texts, counts, batch.rows(), &common.text_key)
            }
            _ => Ok(self.keys(texts, batch.rows())),
        }
    }
}

impl DocumentLineDeduplicator {
    /// A key for each line; the empty one for those that always stay.
    fn keys(&mut self, texts: &Texts, rows: usize) -> Output {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let mut keys = Texts::with_capacity(rows, 0);
        for row in 0..rows {
            for line in texts.value(row).split('\n') {
                keys.push(self.key(line));
            }
            offsets.push(keys.len() as u32);
        }
        let lists = Lists::<Texts>::new(offsets, keys, None).expect("offsets rise");
        Output::Keys {
            keys: Column::Utf8List(lists),
            rejected: Vec::new(),
        }
    }

    fn key<'a>(&'a mut self, line: &'a str) -> &'a str {
        if self.stays(strip(line)) {
            return "";
        }
        let mut key = line;
        if self.lowercase {
            self.lower.clear();
            lower_into(key, &mut self.lower);
            key = &self.lower;
        }
        if self.ignore_special_character {
            key = std::str::from_utf8(self.letters.of(key, true)).expect("whole characters");
        }
        match strip(key) {
            "" => NOTHING,
            key => key,
        }
    }

    /// Whether a line, stripped of white space at its ends, is never removed.
    fn stays(&self, line: &str) -> bool {
        (code_points(line) as i64) < self.min_line_length
            || self.skip_brackets && line.bytes().all(|b| b"{}[]();".contains(&b))
            || self.skip_markdown_headers && line.starts_with('#')
            || self.skip_latex_env && (line.starts_with("\\begin{") || line.starts_with("\\end{"))
            || self.skip_html_tags && is_tag(line)
    }

    fn without_frequent(
        &self,
        texts: &Texts,
        counts: &Lists<Vec<f64>>,
        rows: usize,
        text_key: &str,
    ) -> Result<Output, OpError> {
        let mut changed = Vec::new();
        let mut values = Texts::with_capacity(rows, 0);
        let mut text = String::new();
        for row in 0..rows {
            let counts = counts
                .range(row)
                .map(|range| &counts.elements()[range])
                .unwrap_or_default();
            if counts
                .iter()
                .all(|count| *count as i64 <= self.frequency_threshold)
            {
                continue;
            }
            text.clear();
            let mut lines = 0;
            for (line, count) in texts.value(row).split('\n').zip(counts) {
                // Lines that stay have a count of 0.
                if *count == 0.0 || *count as i64 <= self.frequency_threshold {
                    if lines > 0 {
                        text.push('\n');
                    }
                    lines += 1;
                    text.push_str(line);
                }
            }
            changed.push(row as u32);
            values.push(&text);
        }
        let updates = vec![Update {
            path: text_key.to_owned(),
            rows: Some(changed),
            values: Column::Utf8(values),
        }];
        Ok(Output::Updated {
            updates,
            rejected: Vec::new(),
        })
    }
}

/// Data-Juicer's rule: `</?[a-z][a-z0-9]*[^>]*>?`, ignoring case. Python matches four characters
/// beyond ASCII as the other case of a letter.
fn is_tag(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('<') else {
        return false;
    };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('>').unwrap_or(rest);
    rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, 'İ' | 'ı' | 'ſ' | '\u{212a}'))
        && !rest.contains('>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn map(params: &str, texts: &[&str]) -> Vec<String> {
        Runner::new(operator!(DocumentLineDeduplicator), params)
            .unwrap()
            .map_by_counts(texts)
    }

    #[test]
    fn lines_of_many_documents_go() {
        let texts = ["Home\none\nHome", " Home \ntwo", "three\nHOME", "Home"];
        assert_eq!(
            map(r#"{"frequency_threshold": 2}"#, &texts),
            ["one", "two", "three\nHOME", ""]
        );
        assert_eq!(map(r#"{"frequency_threshold": 3}"#, &texts), texts);
        assert_eq!(
            map(r#"{"frequency_threshold": 3, "lowercase": true}"#, &texts),
            ["one", "two", "three", ""]
        );
    }

    #[test]
    fn what_is_skipped_stays() {
        let text = "# Top\n};\n\\begin{x}\n<br/>\n<p>a</p>\nx\n";
        assert_eq!(
            map(r#"{"frequency_threshold": 1}"#, &[text, text]),
            vec!["# Top\n};\n\\begin{x}\n<br/>\nx\n"; 2]
        );
        let all = r#"{"frequency_threshold": 1, "skip_brackets": false, "skip_markdown_headers": false, "skip_latex_env": false,
            "skip_html_tags": false, "min_line_length": 0}"#;
        assert_eq!(map(all, &[text, text]), vec![""; 2]);
    }

    #[test]
    fn special_characters_are_ignored_if_asked_for() {
        let texts = ["Page 1 of 9\n1-2", "Page 2 of 9\n---"];
        assert_eq!(
            map(
                r#"{"frequency_threshold": 1, "ignore_special_character": true}"#,
                &texts
            ),
            ["", ""]
        );
        assert_eq!(map(r#"{"frequency_threshold": 1}"#, &texts), texts);
    }
}
