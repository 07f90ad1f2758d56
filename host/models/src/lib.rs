//! Reads and runs models that a host lends to the programs it runs: language models of KenLM,
//! classifiers of fastText, tokenizers, networks in ONNX, and lists of domains, URLs or words.
//!
//! [`Model::open`] opens a file of any kind. It is mapped where that pays, so that its pages are
//! shared, and everything that a later call relies on is checked before: a file that is cut off,
//! damaged or made to harm ends in an [`Error`] that names it. A model never changes; threads may
//! share it, and each call uses one thread.
//!
//! ```no_run
//! use djhost_inference::Model;
//!
//! let model = Model::open("lid.176.ftz".as_ref(), None)?;
//! if let Model::Fasttext(model) = &model {
//!     for (label, score) in model.classify("Where is the station?", 2) {
//!         println!("{} {score}", model.labels()[label as usize]);
//!     }
//! }
//! # Ok::<(), djhost_inference::Error>(())
//! ```

#![deny(missing_docs)]

mod error;
pub mod fasttext;
mod info;
pub mod kenlm;
mod kind;
pub mod lists;
mod mapped;
mod model;
mod numbers;
pub mod onnx;
mod pool;
mod proto;
mod tensor;
pub mod tokenizer;

pub use error::Error;
pub use info::{Info, TensorInfo};
pub use kind::Kind;
pub use model::Model;
pub use tensor::{Element, Tensor, TensorData};
