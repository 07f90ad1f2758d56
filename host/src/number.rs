//! Numbers as people read them, everywhere in the same form.
//!
//! Sizes are in powers of 1000 (kB, MB), as disks and networks have them. The exception is what is compared with options whose `_mb` means
//! 2^20 bytes, as in Data-Juicer: [`binary_bytes`]. Sizes and times are by hand, for the width of a column: `indicatif` writes `800.00 kB` and
//! `49 seconds` where there is room for `800.0 kB` and `48.6 s`, and 999,999 bytes are `1000.00 kB` there.

use indicatif::HumanCount;

/// `1,234,567`
pub(crate) fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

/// `12.3 MB`, in powers of 1000.
pub(crate) fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.95 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `12.3 MB`, in powers of 1024: beside an option such as `partition.target_size_mb`.
pub(crate) fn binary_bytes(n: f64) -> String {
    const KB: f64 = 1024.0;
    match n {
        n if n >= KB * KB * KB => format!("{:.1} GB", n / (KB * KB * KB)),
        n if n >= KB * KB => format!("{:.1} MB", n / (KB * KB)),
        n if n >= KB => format!("{:.1} KB", n / KB),
        n => format!("{n:.0} bytes"),
    }
}

/// In MB (powers of 1000), for columns of a table that say so in their heading.
pub(crate) fn megabytes(n: u64) -> f64 {
    n as f64 / 1e6
}

/// `0.42 s`, `12.3 s`, `3m 05s`, `2h 05m`.
pub(crate) fn seconds(s: f64) -> String {
    match s {
        s if s < 0.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{}m {:02}s", s.round() as u64 / 60, s.round() as u64 % 60),
        s => format!("{}h {:02}m", (s / 60.0).round() as u64 / 60, (s / 60.0).round() as u64 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1000, 999_960, 12_345_678].map(bytes), ["0 B", "999 B", "1.0 kB", "1.0 MB", "12.3 MB"]);
        assert_eq!([0.0, 0.42, 12.34, 59.96, 185.0, 7500.0].map(seconds), ["0.00 s", "0.42 s", "12.3 s", "1m 00s", "3m 05s", "2h 05m"]);
        assert_eq!([12.0, 4400.0, 104_857_600.0, 3e9].map(binary_bytes), ["12 bytes", "4.3 KB", "100.0 MB", "2.8 GB"]);
    }
}
