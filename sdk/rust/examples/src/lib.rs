//! The examples that every SDK has, in Rust. Build them with
//! `cargo build --release --target wasm32-wasip2 -p djhost-rust-examples`.

mod alnum_filter;
mod prefix_deduplicator;
mod split_mapper;

use alnum_filter::AlnumFilter;
use prefix_deduplicator::PrefixDeduplicator;
use split_mapper::SplitMapper;

djhost_sdk::export!(AlnumFilter, SplitMapper, PrefixDeduplicator);
