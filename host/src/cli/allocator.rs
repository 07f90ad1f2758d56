//! Settings of glibc's allocator for runs.

/// Keeps freed memory for what is allocated next: batches, pages and pieces of some MB come and go.
/// By default glibc gives such blocks back to the system at once, and new pages for the next ones
/// cost 5 % of the time of a run on columns. Blocks above 32 MB still come and go alone, and up to
/// 256 MB may stay unused.
///
/// One heap for two cores: by default there are eight for each core, and what one of them keeps is lost to
/// the threads of the others. A run on Parquet takes a third less memory for it, and no more time with as
/// many workers as cores. `MALLOC_ARENA_MAX` sets another number.
///
/// Called once, before there are threads. Other allocators stay as they are.
pub(super) fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let heaps = i32::try_from((cores / 2).max(1)).unwrap_or(i32::MAX);
        let heaps = std::env::var_os("MALLOC_ARENA_MAX")
            .is_none()
            .then_some(heaps);
        for (setting, number) in [
            (libc::M_MMAP_THRESHOLD, Some(32 << 20)),
            (libc::M_TRIM_THRESHOLD, Some(256 << 20)),
            (libc::M_ARENA_MAX, heaps),
        ] {
            if let Some(number) = number {
                // SAFETY: sets a number in the allocator. What it refuses stays as it was.
                unsafe { libc::mallopt(setting, number) };
            }
        }
    }
}
