//! `remove_table_text_mapper`

use djhost_sdk::prelude::*;
use memchr::memchr;

/// Removes tables: two or more lines, one after another, with the same number of columns.
///
/// Columns are what single spaces, tabs or `|` separate. A `|` may also belong to what a column
/// holds, so a line may have several numbers of columns. The first line of a text is no part of a
/// table, nor is a last line without a line feed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveTableTextMapper {
    /// The least number of columns of a table.
    #[schemars(range(min = 2, max = 20))]
    pub min_col: usize,
    /// The greatest number of columns.
    #[schemars(range(min = 2, max = 20))]
    pub max_col: usize,
    #[serde(skip)]
    lines: Vec<Line>,
}

impl Default for RemoveTableTextMapper {
    fn default() -> Self {
        Self {
            min_col: 2,
            max_col: 20,
            lines: Vec::new(),
        }
    }
}

/// A line with the line feeds after it.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    columns: Columns,
}

/// The numbers of columns that a line may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    min: usize,
    max: usize,
}

const NONE: Columns = Columns { min: 1, max: 0 };

impl Columns {
    fn has(self, columns: usize) -> bool {
        (self.min..=self.max).contains(&columns)
    }
}

impl TextMapper for RemoveTableTextMapper {
    const NAME: &'static str = "remove_table_text_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        for (name, value) in [("min_col", self.min_col), ("max_col", self.max_col)] {
            if !(2..=20).contains(&value) {
                return Err(format!("`{name}` is {value}: give a number from 2 to 20"));
            }
        }
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let bytes = text.as_bytes();
        self.lines.clear();
        let mut start = bytes.iter().take_while(|b| **b == b'\n').count();
        let leading = start;
        while start < bytes.len() {
            let stop = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            let end = stop + bytes[stop..].iter().take_while(|b| **b == b'\n').count();
            let in_table = start > 0 && end > stop;
            let columns = if in_table {
                columns(&text[start..stop], self.max_col)
            } else {
                NONE
            };
            self.lines.push(Line {
                start,
                end,
                columns,
            });
            start = end;
        }
        let before = self.lines.len();
        // One number of columns after another: removing a table makes the lines around it
        // neighbours.
        for columns in self.min_col..=self.max_col {
            remove_runs(&mut self.lines, columns);
        }
        if self.lines.len() == before {
            return Ok(false);
        }
        out.push_str(&text[..leading]);
        self.lines
            .iter()
            .for_each(|line| out.push_str(&text[line.start..line.end]));
        Ok(true)
    }
}

/// The possible numbers of columns of a line; may be none for a line that has at least `max`.
fn columns(line: &str, max: usize) -> Columns {
    let mut separators = 0;
    // Every `|` between other characters may be a separator.
    let mut pipes = 0;
    // Whether there is something since the last separator, and whether the last byte is a `|` that
    // may be one.
    let mut filled = false;
    let mut pipe = false;
    for (at, &b) in line.as_bytes().iter().enumerate() {
        match b {
            b' ' | b'\t' => {
                // The `|` was not a separator, so the column continues.
                if !filled && !pipe {
                    return NONE;
                }
                separators += 1;
                if separators >= max {
                    return NONE;
                }
                (filled, pipe) = (false, false);
            }
            b'|' if filled => (filled, pipe) = (false, true),
            0x0b | 0x0c | b'\r' => return NONE,
            0xc2 | 0xe1..=0xe3 if line[at..].starts_with(char::is_whitespace) => return NONE,
            _ => {
                pipes += usize::from(pipe);
                (filled, pipe) = (true, false);
            }
        }
    }
    if !filled && !pipe {
        return NONE;
    }
    Columns {
        min: separators + 1,
        max: separators + pipes + 1,
    }
}

/// Removes all runs of two or more lines that may have this number of columns.
fn remove_runs(lines: &mut Vec<Line>, columns: usize) {
    if !lines
        .windows(2)
        .any(|pair| pair.iter().all(|line| line.columns.has(columns)))
    {
        return;
    }
    let fits: Vec<bool> = lines.iter().map(|line| line.columns.has(columns)).collect();
    let mut at = 0;
    lines.retain(|_| {
        let neighbour = (at > 0 && fits[at - 1]) || fits.get(at + 1).is_some_and(|fits| *fits);
        at += 1;
        !(fits[at - 1] && neighbour)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn a_line_has_the_columns_that_the_pattern_gives_it() {
        let range = |min, max| Columns { min, max };
        for (line, expected) in [
            ("a", range(1, 1)),
            ("a b\tc", range(3, 3)),
            ("a|b", range(1, 2)),
            ("a|b|c d", range(2, 4)),
            ("|a|", range(1, 1)),
            ("a||b", range(1, 2)),
            ("a|||b|", range(1, 3)),
            ("||||", range(1, 2)),
            ("| a |", range(3, 3)),
            ("a  b", NONE),
            (" a", NONE),
            ("a ", NONE),
            ("a b\r", NONE),
            ("a\u{a0}b c", NONE),
            ("a\u{3000}b", NONE),
            ("é 日", range(2, 2)),
        ] {
            assert_eq!(columns(line, 20), expected, "{line:?}");
        }
        assert_eq!(columns("a b c", 2), NONE);
    }

    #[test]
    fn tables_go() {
        let run = |params: &str, text: &str| {
            Runner::new(operator!(RemoveTableTextMapper), params)
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(
            run("{}", "a b\nc d\ne f\n\ng h\nthe end of it"),
            "a b\nthe end of it"
        );
        assert_eq!(run("{}", "\na b\nc d\n"), "\n");
        assert_eq!(run("{}", "x\na b\nc d e\nf g\n"), "x\na b\nc d e\nf g\n");
        assert_eq!(run("{}", "x\n1 2 3\na b\nc d\n4 5 6\n"), "x\n");
        assert_eq!(
            run(r#"{"min_col": 3}"#, "x\na b\nc d\n1|2 3\n4 5|6\n"),
            "x\na b\nc d\n"
        );
        assert!(Runner::new(operator!(RemoveTableTextMapper), r#"{"max_col": 21}"#).is_err());
    }
}
