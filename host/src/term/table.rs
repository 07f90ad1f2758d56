//! Tables that fit the terminal: columns shrink or are left out, and lines never wrap.

use super::style::{Color, Style};
use super::{cut_end, cut_start, one_line, width};

/// A column, and what happens to it if there is too little room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    head: &'static str,
    right: bool,
    /// Order in which columns are left out, largest first; None for columns that stay.
    goes: Option<u8>,
    /// Width to which it is cut before other columns are left out. None: it is cut only when no
    /// other column can be left out.
    least: Option<usize>,
    /// Whether the start of a long text is cut off instead of the end.
    is_path: bool,
}

impl Column {
    /// Creates a column of numbers, aligned right.
    pub(crate) const fn right(head: &'static str) -> Self {
        Self {
            head,
            right: true,
            goes: None,
            least: None,
            is_path: false,
        }
    }

    /// Creates a column of words, aligned left.
    pub(crate) const fn left(head: &'static str) -> Self {
        Self {
            right: false,
            ..Self::right(head)
        }
    }

    /// Allows the column to be left out. Columns with a larger `order` are left out first.
    #[must_use]
    pub(crate) const fn goes(mut self, order: u8) -> Self {
        self.goes = Some(order);
        self
    }

    /// Makes this a column of free text: it is cut to `least` columns before another column is left
    /// out.
    #[must_use]
    pub(crate) const fn shrinks(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }

    /// Makes this a column of paths: if one is too long, its end is shown.
    #[must_use]
    pub(crate) const fn path(mut self) -> Self {
        self.is_path = true;
        self
    }
}

/// The content of one place in a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    color: Option<Color>,
}

impl Cell {
    /// Creates a cell in a colour.
    pub(crate) fn painted(text: impl Into<String>, color: Color) -> Self {
        Self {
            text: text.into(),
            color: Some(color),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            color: None,
        }
    }
}

/// A table with a header, two spaces between columns and an indent of two.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Creates a table without rows.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a cell for each column. Cells are put on one line and control characters
    /// are escaped.
    pub(crate) fn row(&mut self, mut cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        cells
            .iter_mut()
            .for_each(|cell| cell.text = one_line(&cell.text).into_owned());
        self.rows.push(cells);
    }

    /// Returns the lines of the table. None is wider than the style allows, whatever the cells
    /// hold.
    pub(crate) fn render(&self, style: Style) -> String {
        let shown = self.fit(style.width.unwrap_or(usize::MAX));
        let mut out = String::new();
        let head: Vec<Cell> = self
            .columns
            .iter()
            .map(|c| Cell::painted(c.head, Color::Bold))
            .collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            let last = shown
                .iter()
                .rev()
                .find(|(at, _)| !row[*at].text.is_empty())
                .map(|(at, _)| *at);
            for (at, room) in &shown {
                let (column, cell) = (&self.columns[*at], &row[*at]);
                let text = if column.is_path {
                    cut_start(&cell.text, *room)
                } else {
                    cut_end(&cell.text, *room)
                };
                let blank = " ".repeat(room - width(&text));
                let text = cell
                    .color
                    .map_or_else(|| text.clone(), |color| style.paint(color, &text));
                line += "  ";
                if column.right {
                    line += &blank;
                }
                line += &text;
                // No trailing blanks.
                if last == Some(*at) {
                    break;
                }
                if !column.right {
                    line += &blank;
                }
            }
            out += line.trim_end();
            out.push('\n');
        }
        out
    }

    /// Returns the columns to show and the width of each.
    fn fit(&self, room: usize) -> Vec<(usize, usize)> {
        let widest = |at: usize| {
            self.rows
                .iter()
                .map(|row| width(&row[at].text))
                .chain([width(self.columns[at].head)])
                .max()
                .unwrap_or(0)
        };
        let mut shown: Vec<(usize, usize)> =
            (0..self.columns.len()).map(|at| (at, widest(at))).collect();
        let excess = |shown: &[(usize, usize)]| {
            shown
                .iter()
                .map(|(_, w)| w + 2)
                .sum::<usize>()
                .saturating_sub(room)
        };
        loop {
            // Free text shrinks first.
            let mut over = excess(&shown);
            for (at, wide) in &mut shown {
                if let Some(least) = self.columns[*at].least {
                    let least = least.max(width(self.columns[*at].head)).min(*wide);
                    let cut = over.min(*wide - least);
                    *wide -= cut;
                    over -= cut;
                }
            }
            if over == 0 {
                break;
            }
            let goes = shown
                .iter()
                .enumerate()
                .filter_map(|(i, (at, _))| Some((self.columns[*at].goes?, i)))
                .max();
            match goes {
                Some((_, i)) => {
                    shown.remove(i);
                    // The room that became free goes to the columns that were cut.
                    shown.iter_mut().for_each(|(at, wide)| *wide = widest(*at));
                }
                None => break,
            }
        }
        // No more columns can be left out: cut the widest.
        for _ in 0..excess(&shown) {
            if let Some((_, wide)) = shown.iter_mut().max_by_key(|(_, wide)| *wide) {
                *wide = wide.saturating_sub(1);
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::right("#").goes(1),
            Column::left("op"),
            Column::right("rows out"),
            Column::right("share").goes(3),
            Column::left("now").shrinks(6).goes(2),
        ]);
        table.row(vec![
            "0".into(),
            "text_length_filter".into(),
            "1,234".into(),
            "20%".into(),
            "op 1 `x`: disk full".into(),
        ]);
        table.row(vec![
            "1".into(),
            "数据_mapper".into(),
            "5".into(),
            Cell::painted("80%", Color::Red),
            "".into(),
        ]);
        table
    }

    fn at(width: usize) -> String {
        table().render(Style {
            colour: false,
            width: Some(width),
        })
    }

    #[test]
    fn all_is_shown_where_there_is_room() {
        let text = table().render(Style::plain());
        assert_eq!(
            text,
            "  #  op                  rows out  share  now\n  0  text_length_filter     1,234    20%  op 1 `x`: disk full\n  1  数据_mapper                5    80%\n"
        );
        assert_eq!(at(61), text);
    }

    #[test]
    fn text_is_cut_then_columns_go_then_all_is_cut() {
        assert_eq!(
            at(54).lines().nth(1).unwrap(),
            "  0  text_length_filter     1,234    20%  op 1 `x`: d…"
        );
        assert_eq!(
            at(45).lines().nth(1).unwrap(),
            "  0  text_length_filter     1,234  op 1 `x`:…"
        );
        assert_eq!(
            at(36).lines().nth(1).unwrap(),
            "  0  text_length_filter     1,234"
        );
        assert_eq!(
            at(30).lines().nth(1).unwrap(),
            "  text_length_filter     1,234"
        );
        assert_eq!(at(20).lines().nth(1).unwrap(), "  text_le…     1,234");
    }

    #[test]
    fn no_line_is_ever_too_wide() {
        for width_ in 0..70 {
            for line in at(width_).lines() {
                assert!(width(line) <= width_.max(4), "{width_}: {line:?}");
            }
        }
    }

    #[test]
    fn colours_are_put_around_the_text_only() {
        let text = table().render(Style {
            colour: true,
            width: None,
        });
        assert!(text.contains("  \u{1b}[31m80%\u{1b}[0m"), "{text:?}");
        assert!(
            text.starts_with("  \u{1b}[1m#\u{1b}[0m  \u{1b}[1mop\u{1b}[0m   "),
            "{text:?}"
        );
    }
}
