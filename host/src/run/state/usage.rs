//! What the process has used.

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// CPU seconds.
    pub(crate) cpu_seconds: f64,
    /// The same of the processes that it has started and that have ended.
    pub(super) cpu_seconds_of_others: f64,
    /// The most memory that it has had at a time, in bytes.
    pub(crate) peak_memory: u64,
}

/// Returns what this process has used, from `/proc/self`.
pub(crate) fn usage() -> Usage {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks. Counted after it, utime and stime are fields 12 and
    // 13, those of others 14 and 15.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let time = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
            / ticks
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|v| v.split_whitespace().next()?.parse::<u64>().ok());
    Usage {
        cpu_seconds: time(11) + time(12),
        cpu_seconds_of_others: time(13) + time(14),
        peak_memory: peak.unwrap_or(0) * 1024,
    }
}
