//! Selectors by a field, by rank or at random, with Data-Juicer's names, parameters and choices.
//! Rows stay in input order.

mod duration;
mod frequency;
mod order;
mod random;
mod range;
mod shuffle;
mod tags;
mod time;
mod topk;
mod value;

pub use frequency::FrequencySpecifiedFieldSelector;
pub use random::RandomSelector;
pub use range::RangeSpecifiedFieldSelector;
pub use tags::TagsSpecifiedFieldSelector;
pub use topk::TopkSpecifiedFieldSelector;

djhost_sdk::export!(
    RandomSelector,
    TopkSpecifiedFieldSelector,
    RangeSpecifiedFieldSelector,
    FrequencySpecifiedFieldSelector,
    TagsSpecifiedFieldSelector,
);
