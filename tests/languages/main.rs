//! The examples of every SDK, built with the language's ordinary tools and run by the built
//! program, alone and in one recipe.
//!
//! A separate suite, `cargo test --test languages`: the tools are a few hundred MB from the
//! languages' registries. What is installed and built stays in the target directory; a language
//! whose tools cannot be installed fails.
//!
//! A language is a file here with a [`Language`], which says how its examples are built, and an
//! entry in [`LANGUAGES`]. All have the same five examples, described in `reference.rs`.

#[path = "../harness/mod.rs"]
#[allow(dead_code, reason = "shared with tests that look at more")]
mod harness;

mod alone;
mod frame;
mod js;
mod mixed;
mod native;
mod new;
#[path = "../ops/project.rs"]
mod project;
mod python;
mod reference;
mod rust;
mod shapes;

use frame::Language;

/// In the order of the recipe with all of them.
static LANGUAGES: &[&Language] = &[
    &rust::RUST,
    &python::PYTHON,
    &js::JAVASCRIPT,
    &js::TYPESCRIPT,
    &native::C,
    &native::CPP,
    &native::ZIG,
];
