//! Settings of glibc's allocator for runs.

/// Keeps freed memory for what is allocated next: batches, pages and pieces of some MB come and go.
/// By default glibc gives such blocks back to the system at once, and new pages for the next ones
/// cost 5 % of the time of a run on columns. Blocks above 32 MB still come and go alone, and up to
/// 256 MB may stay unused. Called once, before there are threads. Other allocators stay as they are.
pub(super) fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (setting, bytes) in [
        (libc::M_MMAP_THRESHOLD, 32 << 20),
        (libc::M_TRIM_THRESHOLD, 256 << 20),
    ] {
        // SAFETY: sets a number in the allocator. What it refuses stays as it was.
        unsafe { libc::mallopt(setting, bytes) };
    }
}
