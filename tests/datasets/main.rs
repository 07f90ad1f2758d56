//! Layouts of the Hugging Face hub, read and written, beside its library `datasets`.
//!
//! A separate suite, `cargo test --test datasets`: it needs Python and the package, which
//! `harness/python.rs` installs.

#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;

#[cfg(target_os = "linux")]
mod against {
    use crate::python::{Package, run};
    use std::path::Path;
    use std::process::Command;

    const DATASETS: Package = Package {
        name: "datasets",
        install: &["datasets==5.2.0", "pillow==13.0.0"],
        works: "import datasets, PIL",
        dir: env!("CARGO_TARGET_TMPDIR"),
    };

    #[track_caller]
    fn check(what: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/datasets/check.py");
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(DATASETS.python());
        command
            .arg(script)
            .args([what, env!("CARGO_BIN_EXE_djhost")])
            .current_dir(dir.path())
            .env("HF_HOME", dir.path().join("hf"))
            .env("HF_HUB_OFFLINE", "1")
            .env(
                "DJHOST_CACHE_DIR",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
            );
        if let Err(why) = run(&mut command) {
            panic!("{why}");
        }
    }

    #[test]
    fn layouts_are_read_as_datasets_reads_them() {
        check("layouts");
    }

    #[test]
    fn exports_are_read_by_datasets() {
        check("exports");
    }
}
