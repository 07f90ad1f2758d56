//! The examples that every SDK has, in Rust. Build them with
//! `cargo build --release --target wasm32-wasip2 -p djhost-rust-examples`.

mod alnum_filter;
mod fluency_filter;
mod histogram_mapper;
mod prefix_deduplicator;
mod split_mapper;

use alnum_filter::AlnumFilter;
use fluency_filter::FluencyFilter;
use histogram_mapper::HistogramMapper;
use prefix_deduplicator::PrefixDeduplicator;
use split_mapper::SplitMapper;

djhost_sdk::export!(
    AlnumFilter,
    SplitMapper,
    PrefixDeduplicator,
    HistogramMapper,
    FluencyFilter
);
