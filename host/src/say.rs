//! Printing to standard error for everybody in this crate: where nobody reads it, or the disk below it is full, nothing can be done about it.

/// As the one of the standard library, which panics when the text cannot be written.
macro_rules! eprint {
    ($($arg:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(&mut ::std::io::stderr(), ::std::format_args!($($arg)*));
    }};
}

/// As the one of the standard library, which panics when the line cannot be written.
macro_rules! eprintln {
    ($($arg:tt)*) => {{
        // One call, so that lines of several threads do not mix.
        let line = ::std::format!("{}\n", ::std::format_args!($($arg)*));
        let _ = ::std::io::Write::write_all(&mut ::std::io::stderr(), line.as_bytes());
    }};
}
