//! The operators of this pack return Data-Juicer's results.

#[path = "../../../tests/parity/check.rs"]
mod check;
#[path = "../../../tests/parity/lent.rs"]
mod lent;

#[test]
fn all_operators_agree_with_data_juicer() {
    // Data-Juicer has no filter for classifiers of fastText.
    let mut operators = djhost_models::operators();
    operators.retain(|operator| (operator.describe)().name != "fasttext_classifier_filter");
    check::check_lent(operators, lent::lend_models);
}
