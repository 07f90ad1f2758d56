//! The projects of `djhost ops new`, with the tools that the examples were built with.

use std::path::{Path, PathBuf};

use crate::frame::Language;
use crate::harness::guest;
use crate::project::Project;
use crate::{js, native, python, rust};

fn languages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages")
}

/// Builds a project of each kind. `prepare` tells a project where the tools are.
fn projects(language: &Language, kinds: &[&str], prepare: fn(&mut Project)) {
    language.components();
    for kind in kinds {
        let mut project = Project::new(language.prefix, kind);
        prepare(&mut project);
        project.builds_and_runs();
    }
}

const KINDS: [&str; 4] = ["filter", "mapper", "deduplicator", "selector"];

#[test]
fn in_rust() {
    projects(&rust::RUST, &KINDS, |project| {
        project.env = guest::beside_the_packs()
    });
}

#[test]
fn in_python() {
    projects(&python::PYTHON, &KINDS, |project| {
        project.env = vec![("PYTHON".into(), languages().join("python/venv/bin/python"))]
    });
}

/// Does the work of `npm install` in a project without downloads.
#[cfg(unix)]
fn link_packages(project: &mut Project) {
    use std::os::unix::fs::symlink;
    let packages = project.dir.join("node_modules");
    std::fs::create_dir(&packages).unwrap();
    for entry in std::fs::read_dir(languages().join("npm/node_modules")).unwrap() {
        let entry = entry.unwrap();
        symlink(entry.path(), packages.join(entry.file_name())).unwrap();
    }
    symlink("../sdk", packages.join("djhost-sdk")).unwrap();
}

#[test]
fn in_javascript() {
    projects(&js::JAVASCRIPT, &KINDS, link_packages);
}

#[test]
fn in_typescript() {
    projects(&js::TYPESCRIPT, &KINDS, link_packages);
}

fn native(language: &Language) {
    projects(language, &KINDS[..3], |project| {
        project.env = vec![("PYTHON".into(), languages().join("zig-venv/bin/python"))]
    });
}

#[test]
fn in_c() {
    native(&native::C);
}

#[test]
fn in_cpp() {
    native(&native::CPP);
}

#[test]
fn in_zig() {
    native(&native::ZIG);
}
