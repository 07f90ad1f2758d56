//! Kernels for work on text, fast in WebAssembly and natively, with Python's notions of characters, lines and spaces.

mod count;

pub use count::code_points;
