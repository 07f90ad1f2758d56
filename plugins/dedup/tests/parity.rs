//! The operators of this pack return Data-Juicer's results.

#[path = "../../../tests/parity/check.rs"]
mod check;
#[path = "../../../tests/parity/lent.rs"]
mod lent;

#[test]
fn all_operators_agree_with_data_juicer() {
    // Data-Juicer has no deduplicator with a Bloom filter.
    let mut operators = djhost_dedup::operators();
    let own = ["bloom_paragraph_deduplicator", "sentence_deduplicator"];
    operators.retain(|operator| !own.contains(&(operator.describe)().name));
    check::check_lent(operators, lent::lend_models);
}
