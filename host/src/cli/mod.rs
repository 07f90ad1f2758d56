//! The subcommands: typed arguments and what they print.

pub mod jobs;
pub mod logs;
pub mod monitor;
pub mod stop;
mod watch;

/// Prints to stdout; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
