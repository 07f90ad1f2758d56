//! HTML read by the rules of the HTML standard.

mod shallow;
mod tree;

use djhost_sdk::Reject;
use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use shallow::Shallow;
use tree::Tree;

/// Bytes parsed between two checks of the tree's size.
const CHUNK: usize = 1 << 14;
/// More elements than any page has. Unclosed formatting can make many elements of few tags.
const MAX_ELEMENTS: usize = 2_000_000;

/// Whether a parser of HTML would change nothing in the text except white space at its start.
pub(crate) fn is_plain(text: &str) -> bool {
    memchr::memchr3(b'<', b'&', b'\r', text.as_bytes()).is_none()
        && memchr::memchr(0, text.as_bytes()).is_none()
}

/// Appends the text of the whole document to `out`.
pub(crate) fn text_of(html: &str, out: &mut String) -> Result<(), Reject> {
    let options = TreeBuilderOpts {
        scripting_enabled: false,
        ..TreeBuilderOpts::default()
    };
    let tokenizer = Tokenizer::new(
        Shallow::new(TreeBuilder::new(Tree::new(html.len()), options)),
        TokenizerOpts {
            discard_bom: false,
            ..TokenizerOpts::default()
        },
    );
    let input = BufferQueue::default();
    let mut rest = html;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK.min(rest.len())));
        rest = after;
        input.push_back(StrTendril::from_slice(chunk));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        if tokenizer.sink.tree().elements() > MAX_ELEMENTS {
            return Err(format!(
                "the HTML makes more than {MAX_ELEMENTS} elements: formatting that is never closed?"
            )
            .into());
        }
    }
    tokenizer.end();
    tokenizer.sink.tree().text(out);
    Ok(())
}
