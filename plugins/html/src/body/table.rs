//! Tables.

use super::blocks::{add_block, text_element};
use super::nodes::{How, add_copy, process, separates, text_node};
use super::{CONSUMING, lists};
use crate::dom::{Attr, Dom, Id, Rend, Span, Tag, Tags};
use crate::extract::{Favor, Settings};
use djhost_sdk::text::strip;
use std::collections::HashSet;

/// A cell spans no more columns or rows, and a row has no more columns.
const MAX_SPAN: usize = 100;

const CELLS: Tags = Tags::of(&[Tag::TD, Tag::TH]);

/// For each column how many rows a cell above still reaches into.
type Spans = [usize; 2 * MAX_SPAN];

/// A new table of the rows of a table. None without any.
pub(super) fn table(dom: &mut Dom, id: Id, potential: Tags, settings: &Settings) -> Option<Id> {
    let new = dom.element(Tag::TABLE);
    dom.unwrap_all(id, Tags::of(&[Tag::THEAD, Tag::TBODY, Tag::TFOOT]));
    let mut inner = HashSet::new();
    for table in dom.find_all(id, Tags::of(&[Tag::TABLE])) {
        if !inner.contains(&table) {
            inner.extend(dom.iter(table));
        }
    }

    let mut rows: Vec<Vec<Id>> = vec![Vec::new()];
    let mut captions = Vec::new();
    let mut width = 0;
    let children: Vec<Id> = dom.children(id).collect();
    for child in children {
        match dom.tag(child) {
            Tag::TR => {
                let cells: Vec<Id> = dom
                    .children(child)
                    .filter(|&cell| CELLS.has(dom.tag(cell)))
                    .collect();
                width = width.max(
                    cells
                        .iter()
                        .map(|&cell| span(dom, cell, Attr::Colspan))
                        .sum(),
                );
                rows.push(cells);
            }
            tag if CELLS.has(tag) => {
                rows.last_mut().expect("there is a first").push(child);
                continue;
            }
            Tag::CAPTION => {
                let text = dom.texts(child).collect::<Vec<_>>().join(" ");
                captions.push(strip(&text).to_owned());
                super::nodes::finish(dom, child);
            }
            Tag::TABLE => continue,
            _ => {}
        }
        dom.set_tag(child, Tag::DONE);
    }
    let width = width.min(MAX_SPAN);

    for caption in captions.iter().filter(|caption| !caption.is_empty()) {
        let row = dom.element(Tag::ROW);
        let cell = dom.child(row, Tag::CELL);
        dom.set_rend(cell, Rend::Head);
        let text = dom.add(caption);
        dom.set_text(cell, text);
        finish_row(dom, new, row, &mut [0; 2 * MAX_SPAN], 1, width);
    }

    let mut had_head = false;
    let mut spans = [0; 2 * MAX_SPAN];
    for cells in rows {
        let row = dom.element(Tag::ROW);
        let mut columns = 0;
        let mut heads = false;
        for cell in cells {
            let head = dom.tag(cell) == Tag::TH && !had_head;
            heads |= head;
            fill_spanned(dom, row, &mut spans, &mut columns);
            let colspan = span(dom, cell, Attr::Colspan);
            let rowspan = span(dom, cell, Attr::Rowspan);
            if rowspan > 1 {
                for column in spans.iter_mut().skip(columns).take(colspan) {
                    *column = rowspan - 1;
                }
            }
            let new_cell = dom.element(Tag::CELL);
            fill(dom, new_cell, cell, &inner, potential, settings);
            dom.append(row, new_cell);
            for extra in 0..colspan {
                let cell = match extra {
                    0 => new_cell,
                    _ => dom.child(row, Tag::CELL),
                };
                if head {
                    dom.set_rend(cell, Rend::Head);
                }
            }
            columns += colspan;
            dom.set_tag(cell, Tag::DONE);
        }
        finish_row(dom, new, row, &mut spans, columns, width);
        had_head |= heads;
    }
    (!dom.is_leaf(new)).then_some(new)
}

fn span(dom: &Dom, cell: Id, name: Attr) -> usize {
    dom.attr(cell, name)
        .and_then(|value| value.parse().ok())
        .unwrap_or(1)
        .min(MAX_SPAN)
}

/// Adds empty cells where cells of rows above reach into this one.
fn fill_spanned(dom: &mut Dom, row: Id, spans: &mut Spans, columns: &mut usize) {
    while let Some(rows) = spans.get_mut(*columns).filter(|rows| **rows > 0) {
        *rows -= 1;
        dom.child(row, Tag::CELL);
        *columns += 1;
    }
}

/// Fills a row up to the width of the table, and adds it if there is anything in it.
fn finish_row(
    dom: &mut Dom,
    table: Id,
    row: Id,
    spans: &mut Spans,
    mut columns: usize,
    width: usize,
) {
    fill_spanned(dom, row, spans, &mut columns);
    for _ in columns..width {
        dom.child(row, Tag::CELL);
    }
    if dom
        .children(row)
        .any(|cell| !dom.text(cell).is_empty() || !dom.is_leaf(cell))
    {
        dom.append(table, row);
    }
}

/// Puts what is in a cell into the new one.
fn fill(
    dom: &mut Dom,
    new: Id,
    cell: Id,
    inner: &HashSet<Id>,
    potential: Tags,
    settings: &Settings,
) {
    if dom.is_leaf(cell) {
        if process(dom, cell).is_some() {
            dom.set_text(new, dom.text(cell));
            dom.set_tail(new, dom.tail(cell));
        }
        return;
    }
    dom.set_text(new, dom.text(cell));
    dom.set_tail(new, dom.tail(cell));
    dom.set_tag(cell, Tag::DONE);
    let potential = potential.with(Tags::of(&[Tag::DIV]));
    let mut next = dom.following(cell, cell);
    while let Some(child) = next {
        next = dom.following(child, cell);
        let tag = dom.tag(child);
        if tag == Tag::DONE {
            continue;
        }
        if inner.contains(&child) {
            // Tables in this one are taken by themselves; the text behind them is the cell's.
            let outermost = |dom: &Dom| {
                dom.ancestors(child)
                    .find(|&ancestor| dom.tag(ancestor) == Tag::TABLE)
                    .is_none_or(|table| !inner.contains(&table))
            };
            if tag == Tag::TABLE && outermost(dom) {
                add_block(dom, new, None, child);
                dom.set_tail(child, Span::NONE);
            }
            continue;
        }
        let processed = if separates(dom, child) && !dom.has_chars(dom.tail(child)) {
            dom.child(new, Tag::LB);
            None
        } else if CELLS.has(tag) {
            dom.set_tag(child, Tag::CELL);
            text_node(dom, child, How::Spaced)
        } else if CONSUMING.has(tag) {
            text_node(dom, child, How::Spaced).or((!dom.is_leaf(child)).then_some(child))
        } else if tag == Tag::LIST {
            let list = lists::list(dom, child).filter(|_| settings.favor == Favor::Recall);
            add_block(dom, new, list, child);
            continue;
        } else {
            text_element(dom, child, potential, settings)
        };
        if let Some(processed) = processed {
            add_copy(dom, processed, new, true);
        }
        dom.set_tag(child, Tag::DONE);
    }
}
