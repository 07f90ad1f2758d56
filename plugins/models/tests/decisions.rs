//! The filters of this pack decide without their stats as they do with them.

#[path = "../../../tests/parity/decisions.rs"]
mod decisions;

#[test]
fn without_its_stat_a_filter_keeps_the_same_rows() {
    decisions::check(djhost_models::operators(), &["alphanumeric_filter"]);
}
