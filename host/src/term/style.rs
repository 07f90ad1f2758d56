//! Colours and width of the terminal that a stream writes to.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU8, Ordering};

use clap::ValueEnum;

/// The values of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also in files and pipes.
    Always,
    /// Nowhere.
    Never,
}

static CHOICE: AtomicU8 = AtomicU8::new(ColorChoice::Auto as u8);

impl ColorChoice {
    /// Sets the choice for the whole process. Called once, at its start.
    pub(crate) fn set(self) {
        CHOICE.store(self as u8, Ordering::Relaxed);
    }

    fn allows(is_terminal: bool) -> bool {
        match CHOICE.load(Ordering::Relaxed) {
            c if c == Self::Always as u8 => true,
            c if c == Self::Never as u8 => false,
            // https://no-color.org: an empty value counts as unset.
            _ => {
                is_terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
            }
        }
    }
}

/// A colour. It never carries meaning alone: the text beside it says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Headings.
    Bold,
    /// Less important text.
    Dim,
    /// Failures.
    Red,
    /// Good news.
    Green,
    /// What deserves a look.
    Yellow,
    /// What is running.
    Cyan,
}

/// How to draw on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use terminal colours.
    pub colour: bool,
    /// Columns that a line may take; None for no limit.
    pub width: Option<usize>,
}

impl Style {
    /// Returns a style for plain text of any width.
    pub fn plain() -> Self {
        Self {
            colour: false,
            width: None,
        }
    }

    /// Returns the style for standard output.
    pub fn for_stdout() -> Self {
        Self {
            colour: ColorChoice::allows(std::io::stdout().is_terminal()),
            width: columns(terminal_size::terminal_size_of(std::io::stdout())),
        }
    }

    /// Returns the style for standard error.
    pub fn for_stderr() -> Self {
        Self {
            colour: ColorChoice::allows(std::io::stderr().is_terminal()),
            width: columns(terminal_size::terminal_size_of(std::io::stderr())),
        }
    }

    /// Returns `text` in `color`.
    pub fn paint(self, color: Color, text: &str) -> String {
        let code = match color {
            Color::Bold => "1",
            Color::Dim => "2",
            Color::Red => "31",
            Color::Green => "32",
            Color::Yellow => "33",
            Color::Cyan => "36",
        };
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Returns `text` in bold.
    pub fn bold(self, text: &str) -> String {
        self.paint(Color::Bold, text)
    }
}

/// Returns the width of the terminal, or of `COLUMNS` if there is none. Terminals that do not know
/// their width say 0.
fn columns(terminal: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal
        .map(|(width, _)| usize::from(width.0))
        .or_else(asked)
        .filter(|columns| *columns > 0)
}
