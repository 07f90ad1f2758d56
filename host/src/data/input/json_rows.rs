//! Converts JSON arrays and plain text to JSON lines.
//!
//! By hand: serde_json ends at the first element that it does not accept, such as one with `NaN`.
//! Here brackets and strings alone decide where an element ends, so the others are not lost.

use super::read_error::plain_error;
use super::source_lines::LineWriter;
use crate::data::json::find_special;
use anyhow::{Result, bail};
use std::io::{Read, Write};
use std::path::Path;

/// Writes each element of a JSON array, or each of several consecutive JSON values, as one line. An
/// element keeps its bytes; only line ends between its tokens become spaces. The reader of rows
/// judges whether an element is a valid row, but the array itself must be complete. `source_lines`
/// receives the line of the file in which each element begins.
pub(crate) fn array_to_lines(
    mut from: impl Read,
    path: &Path,
    out: &mut impl Write,
    source_lines: &mut LineWriter<impl Write>,
) -> Result<()> {
    let mut splitter = Splitter {
        state: State::Start,
        array: false,
        depth: 0,
        in_string: false,
        escaped: false,
        at: 0,
        line: 1,
        first_line: 1,
        ended: Vec::new(),
    };
    let mut piece = vec![0; 256 << 10];
    let mut lines = Vec::with_capacity(piece.len() + 1024);
    loop {
        let got = from.read(&mut piece).map_err(plain_error)?;
        if got == 0 {
            break;
        }
        lines.clear();
        let mut i = 0;
        while i < got {
            if splitter.in_string && !splitter.escaped {
                // A run of plain text changes no state.
                let run = find_special(&piece[..got], i) - i;
                lines.extend_from_slice(&piece[i..i + run]);
                splitter.at += run as u64;
                i += run;
                if i == got {
                    break;
                }
            }
            if let Err(what) = splitter.push(piece[i], &mut lines) {
                bail!("`{}`: {what} at byte {}", path.display(), splitter.at);
            }
            splitter.at += 1;
            splitter.line += u64::from(piece[i] == b'\n');
            i += 1;
        }
        out.write_all(&lines)?;
        splitter
            .ended
            .drain(..)
            .try_for_each(|line| source_lines.row(line))?;
    }
    match splitter.state {
        State::Value if splitter.depth == 0 && !splitter.array && !splitter.in_string => {
            out.write_all(b"\n")?;
            source_lines.row(splitter.first_line)?;
        }
        State::Start | State::End => {}
        State::Between if !splitter.array => {}
        _ => bail!(
            "`{}`: the JSON ends in the middle, at byte {}",
            path.display(),
            splitter.at
        ),
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Only space so far.
    Start,
    /// Before an element; the array may end here if it is empty.
    Between,
    /// Within an element.
    Value,
    /// After an element of an array: a comma or the end must come.
    After,
    /// After the array.
    End,
}

struct Splitter {
    state: State,
    array: bool,
    /// Open brackets within the element.
    depth: u64,
    in_string: bool,
    escaped: bool,
    at: u64,
    /// The current line, from 1, and the line in which the element began.
    line: u64,
    first_line: u64,
    /// The first line of each element that has ended.
    ended: Vec<u64>,
}

impl Splitter {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            // A byte order mark may come first.
            State::Start if space || (self.at < 3 && b"\xef\xbb\xbf"[self.at as usize] == byte) => {
            }
            State::Start if byte == b'[' => {
                self.array = true;
                self.state = State::Between;
            }
            State::Start | State::Between if space => {}
            State::Between if byte == b']' && self.array => self.state = State::End,
            State::Between if matches!(byte, b',' | b']' | b'}') => {
                return Err("an element is missing");
            }
            State::Start | State::Between => {
                self.state = State::Value;
                self.first_line = self.line;
                self.value(byte, out);
            }
            State::Value => {
                if self.depth == 0
                    && !self.in_string
                    && (space || (self.array && matches!(byte, b',' | b']')))
                {
                    self.end_value(out);
                    return self.push(byte, out);
                }
                self.value(byte, out);
            }
            State::After if space => {}
            State::After if byte == b',' => self.state = State::Between,
            State::After if byte == b']' => self.state = State::End,
            State::After => return Err("no comma between two elements"),
            State::End if space => {}
            State::End => return Err("more text behind the end of the array"),
        }
        Ok(())
    }

    fn value(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.in_string {
            // A line feed is not valid within a string. Nor is a tab, but it keeps the row on one
            // line.
            out.push(if matches!(byte, b'\n' | b'\r') {
                b'\t'
            } else {
                byte
            });
            match (self.escaped, byte) {
                (true, _) => self.escaped = false,
                (false, b'\\') => self.escaped = true,
                (false, b'"') => self.in_string = false,
                _ => {}
            }
        } else {
            out.push(if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                byte
            });
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.depth == 0 && !self.in_string && matches!(byte, b'}' | b']') {
            self.end_value(out);
        }
    }

    fn end_value(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
        self.ended.push(self.first_line);
        self.state = if self.array {
            State::After
        } else {
            State::Between
        };
    }
}

/// Writes the whole text as one row, under `text`; an empty file has no row. Bytes that are not
/// UTF-8 pass through, for the reader to report.
pub(crate) fn text_to_line(mut from: impl Read, out: &mut impl Write) -> Result<()> {
    let mut piece = vec![0; 256 << 10];
    let mut line = Vec::new();
    let mut any = false;
    loop {
        let got = from.read(&mut piece).map_err(plain_error)?;
        if got == 0 {
            break;
        }
        line.clear();
        let mut text = &piece[..got];
        if !any {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            line.extend_from_slice(b"{\"text\": \"");
            any = true;
        }
        for &byte in text {
            match byte {
                b'"' => line.extend_from_slice(b"\\\""),
                b'\\' => line.extend_from_slice(b"\\\\"),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                b'\t' => line.extend_from_slice(b"\\t"),
                0..0x20 => line.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => line.push(byte),
            }
        }
        out.write_all(&line)?;
    }
    if any {
        out.write_all(b"\"}\n")?;
    }
    Ok(())
}
