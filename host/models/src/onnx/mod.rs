//! Networks in ONNX: encoders of sentences, classifiers, and what else is made of the operators in
//! `ops`. A network is loaded and checked once; a call computes on the thread that makes it, alone,
//! and gives the same bits each time. What a row gets does not depend on the rows that are passed
//! with it.
//!
//! The runtimes that exist as crates do more and fit worse. `rten` 0.27 is fast, but computes on
//! threads of its own, whose time would count to nobody, has no limit for memory, keeps 64-bit
//! integers in 32 bits, and takes 75 seconds of CPU to build, where this takes 13; `tract` brings
//! some 110 crates. So the arithmetic is here, and the products of matrices, where the time goes,
//! are those of the crate `matrixmultiply`. Who has ONNX Runtime's library may name it (`runtime`).

mod gemm;
mod graph;
mod math;
mod model;
mod ops;
mod read;
mod room;
mod run;
mod runtime;
mod value;

pub use model::Model;
pub use run::Stopped;
pub use runtime::Runtime;
#[cfg(test)]
mod tests;
