//! Data-Juicer's own monitor, stopper and job list, pointed at run directories of djhost.
//!
//! They need Python and some 600 MB of packages, so they are installed only if `DJHOST_COMPAT` is set: `1` installs them and skips the
//! tests where that is not possible, `required` fails then. Once installed they are used without being asked for.

#[cfg(target_os = "linux")]
mod data_juicer;
