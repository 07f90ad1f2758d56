//! Finds the tables of a document as Beautiful Soup's `find_all` does: their markup, or their rows
//! and cells.

use crate::markup::{push_attributes, push_escaped};
use crate::soup::{Attributes, Events, Special};
use djhost_sdk::Reject;
use djhost_sdk::text::strip;
use std::collections::HashMap;

/// Largest size of a document's tables in bytes, relative to the document and absolute: the content
/// of nested tables counts for each.
const MAX_TIMES: u64 = 64;
const MAX_BYTES: u64 = 64 << 20;

const TABLE: u8 = 1;
const ROW: u8 = 2;
const CELL: u8 = 4;
const HEADER: u8 = 8;
/// Elements without an end tag, according to Beautiful Soup.
const VOID: u8 = 16;
/// Elements whose text is not part of the cells around them.
const ASIDE: u8 = 32;
/// Elements that preserve white space.
const SPACED: u8 = 64;
/// Elements whose text is not escaped.
const RAW: u8 = 128;

#[rustfmt::skip]
const KNOWN: [(&str, u8); 35] = [
    ("table", TABLE), ("tr", ROW), ("td", CELL), ("th", CELL | HEADER), ("rt", ASIDE), ("rp", ASIDE), ("template", ASIDE),
    ("script", ASIDE | RAW), ("style", ASIDE | RAW), ("pre", SPACED), ("textarea", SPACED), ("area", VOID), ("base", VOID), ("br", VOID),
    ("col", VOID), ("embed", VOID), ("hr", VOID), ("img", VOID), ("input", VOID), ("keygen", VOID), ("link", VOID), ("menuitem", VOID),
    ("meta", VOID), ("param", VOID), ("source", VOID), ("track", VOID), ("wbr", VOID), ("basefont", VOID), ("bgsound", VOID),
    ("command", VOID), ("frame", VOID), ("image", VOID), ("isindex", VOID), ("nextid", VOID), ("spacer", VOID),
];

const NONE: u32 = u32::MAX;

/// Start and end.
type Span = (u32, u32);

/// A name of elements.
struct Name {
    text: Box<str>,
    flags: u8,
    /// Number of open elements.
    open: u32,
    /// Number of elements closed without an end tag, which they do not need: as many end tags are
    /// ignored.
    closed: u32,
}

/// An open element.
struct Open {
    name: u32,
    /// The number of the table, row or cell.
    number: u32,
}

/// A cell: its row, and its text in [`Tables::texts`].
struct Cell {
    row: u32,
    text: Span,
}

/// Collects tables.
pub(crate) struct Tables {
    keep_tags: bool,
    names: Vec<Name>,
    ids: HashMap<Box<str>, u32>,
    open: Vec<Open>,
    /// Number of open tables, elements aside and elements that preserve white space.
    within: u32,
    aside: u32,
    spaced: u32,
    /// The text that has not ended yet, possibly empty.
    text: String,
    has_text: bool,
    /// Content of tables: the texts of cells, ready for JSON, or everything with its tags.
    texts: String,
    /// Start and end of the tables in `texts`, or the numbers of their first and last rows.
    tables: Vec<Span>,
    /// Whether each row is a header.
    rows: Vec<bool>,
    cells: Vec<Cell>,
}

impl Tables {
    pub(crate) fn new(keep_tags: bool) -> Self {
        let name = |&(text, flags): &(&str, u8)| Name {
            text: text.into(),
            flags,
            open: 0,
            closed: 0,
        };
        Self {
            keep_tags,
            names: KNOWN.iter().map(name).collect(),
            ids: KNOWN
                .iter()
                .zip(0..)
                .map(|((text, _), id)| ((*text).into(), id))
                .collect(),
            open: Vec::new(),
            within: 0,
            aside: 0,
            spaced: 0,
            text: String::new(),
            has_text: false,
            texts: String::new(),
            tables: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Appends the tables as a JSON array. `length` is that of the document; rows with header cells
    /// count only with `headers`.
    pub(crate) fn write(
        mut self,
        length: usize,
        headers: bool,
        out: &mut String,
    ) -> Result<(), Reject> {
        self.end_text(None);
        while !self.open.is_empty() {
            self.close();
        }
        let fits = |bytes: u64| match bytes > MAX_BYTES.min((length as u64 + 1000) * MAX_TIMES) {
            true => Err(Reject::from(format!(
                "its tables are in one another so that they would come to {bytes} bytes"
            ))),
            false => Ok(()),
        };
        let sum = |spans: &mut dyn Iterator<Item = Span>| {
            spans
                .map(|(start, end)| u64::from(end - start))
                .sum::<u64>()
        };
        out.push('[');
        let start = out.len();
        if self.keep_tags {
            fits(sum(&mut self.tables.iter().copied()))?;
            for &(from, to) in &self.tables {
                out.push_str(if out.len() > start { ",\"" } else { "\"" });
                push_json(&self.texts[from as usize..to as usize], out);
                out.push('"');
            }
        } else {
            fits(sum(&mut self.cells.iter().map(|cell| cell.text)))?;
            let (json, rows) = self.rows_as_json(headers);
            let rows_of = |&(first, end): &Span| {
                let at = |row: u32| rows.partition_point(|&(number, _)| number < row);
                let (first, end) = (at(first), at(end));
                (first < end).then(|| (rows[first].1.0, rows[end - 1].1.1))
            };
            fits(sum(&mut self.tables.iter().filter_map(rows_of)))?;
            for (from, to) in self.tables.iter().filter_map(rows_of) {
                out.push_str(if out.len() > start { ",[" } else { "[" });
                out.push_str(&json[from as usize..to as usize]);
                out.push(']');
            }
        }
        out.push(']');
        Ok(())
    }

    /// All rows with cells, concatenated; and for each its number and position.
    fn rows_as_json(&mut self, headers: bool) -> (String, Vec<(u32, Span)>) {
        // Rows nested in cells of other rows come between these cells.
        self.cells.sort_by_key(|cell| cell.row);
        let mut json = String::new();
        let mut rows = Vec::new();
        for cells in self.cells.chunk_by(|a, b| a.row == b.row) {
            let row = cells[0].row;
            if self.rows[row as usize] && !headers {
                continue;
            }
            if !json.is_empty() {
                json.push(',');
            }
            let start = json.len() as u32;
            for (number, cell) in cells.iter().enumerate() {
                json.push_str(if number == 0 { "[\"" } else { "\",\"" });
                json.push_str(&self.texts[cell.text.0 as usize..cell.text.1 as usize]);
            }
            json.push_str("\"]");
            rows.push((row, (start, json.len() as u32)));
        }
        (json, rows)
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len() as u32;
        self.names.push(Name {
            text: name.into(),
            flags: 0,
            open: 0,
            closed: 0,
        });
        self.ids.insert(name.into(), id);
        id
    }

    /// Flags of the innermost open element.
    fn parent(&self) -> u8 {
        self.open
            .last()
            .map_or(0, |open| self.names[open.name as usize].flags)
    }

    /// Ends the current text, as a text of this kind.
    fn end_text(&mut self, kind: Option<Special>) {
        if !std::mem::take(&mut self.has_text) {
            return;
        }
        let text = std::mem::take(&mut self.text);
        if !self.keep_tags {
            if kind == Some(Special::Cdata) || kind.is_none() && self.aside == 0 {
                push_json(strip(&text), &mut self.texts);
            }
        } else {
            let mut shown = text.as_str();
            if self.spaced == 0
                && text
                    .bytes()
                    .all(|b| matches!(b, b' ' | b'\n' | b'\t' | 0xc | b'\r'))
            {
                shown = if text.contains('\n') { "\n" } else { " " };
            }
            let (before, after) = match kind {
                None if self.parent() & RAW == 0 => {
                    push_escaped(shown, &mut self.texts);
                    shown = "";
                    ("", "")
                }
                None => ("", ""),
                Some(Special::Comment) => ("<!--", "-->"),
                Some(Special::Doctype) => ("<!DOCTYPE ", ">\n"),
                Some(Special::Cdata) => ("<![CDATA[", "]]>"),
                Some(Special::Declaration) => ("<?", "?>"),
                Some(Special::Instruction) => ("<?", ">"),
            };
            self.texts.extend([before, shown, after]);
        }
        self.text = text;
        self.text.clear();
    }

    /// Closes the innermost open element.
    fn close(&mut self) {
        let Some(Open { name, number }) = self.open.pop() else {
            return;
        };
        let name = &mut self.names[name as usize];
        name.open -= 1;
        let flags = name.flags;
        self.aside -= u32::from(flags & ASIDE != 0);
        self.spaced -= u32::from(flags & SPACED != 0);
        if self.keep_tags && self.within > 0 && flags & VOID == 0 {
            self.texts.extend(["</", &*name.text, ">"]);
        }
        let at = self.texts.len() as u32;
        if flags & TABLE != 0 {
            self.within -= 1;
            self.tables[number as usize].1 = if self.keep_tags {
                at
            } else {
                self.rows.len() as u32
            };
        } else if flags & CELL != 0 && number != NONE {
            self.cells[number as usize].text.1 = at;
        }
    }

    /// Closes the innermost element of this name and everything in it.
    fn close_to(&mut self, id: u32) {
        let open = self.names[id as usize].open;
        while open > 0 && self.names[id as usize].open == open {
            self.close();
        }
    }

    /// The number of the table, row or cell that starts now.
    fn number(&mut self, flags: u8) -> u32 {
        let at = self.texts.len() as u32;
        if flags & TABLE != 0 {
            self.within += 1;
            self.tables.push((
                if self.keep_tags {
                    at
                } else {
                    self.rows.len() as u32
                },
                0,
            ));
            return self.tables.len() as u32 - 1;
        }
        if self.keep_tags || self.within == 0 {
            return NONE;
        }
        if flags & ROW != 0 {
            self.rows.push(false);
            return self.rows.len() as u32 - 1;
        }
        let row = self
            .open
            .last()
            .filter(|_| flags & CELL != 0 && self.parent() & ROW != 0)
            .map_or(NONE, |open| open.number);
        if row == NONE {
            return NONE;
        }
        self.rows[row as usize] |= flags & HEADER != 0;
        self.cells.push(Cell {
            row,
            text: (at, at),
        });
        self.cells.len() as u32 - 1
    }
}

impl Events for Tables {
    fn start(&mut self, name: &str, attributes: Attributes<'_>, empty: bool) {
        self.end_text(None);
        let id = self.id(name);
        let flags = self.names[id as usize].flags;
        let number = self.number(flags);
        if self.keep_tags && self.within > 0 {
            self.texts.extend(["<", name]);
            push_attributes(name, attributes, &mut self.texts);
            self.texts
                .push_str(if flags & VOID != 0 { "/>" } else { ">" });
        }
        self.open.push(Open { name: id, number });
        self.names[id as usize].open += 1;
        self.aside += u32::from(flags & ASIDE != 0);
        self.spaced += u32::from(flags & SPACED != 0);
        if empty {
            self.close();
        } else if flags & VOID != 0 {
            self.close();
            self.names[id as usize].closed += 1;
        }
    }

    fn end(&mut self, name: &str) {
        let id = self.ids.get(name).copied();
        if let Some(id) = id
            && self.names[id as usize].closed > 0
        {
            self.names[id as usize].closed -= 1;
            return;
        }
        self.end_text(None);
        if let Some(id) = id {
            self.close_to(id);
        }
    }

    fn text(&mut self, text: &str) {
        if self.within > 0 {
            self.text.push_str(text);
            self.has_text = true;
        }
    }

    fn special(&mut self, kind: Special, text: &str) {
        self.end_text(None);
        self.text(text);
        self.end_text(Some(kind));
    }
}

/// Appends `text` as the content of a JSON string.
fn push_json(text: &str, out: &mut String) {
    let mut done = 0;
    for (at, b) in text.bytes().enumerate() {
        let short = match b {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        done = at + 1;
        match short {
            "" => out.push_str(&format!("\\u{b:04x}")),
            short => out.push_str(short),
        }
    }
    out.push_str(&text[done..]);
}
