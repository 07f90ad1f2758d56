//! The operators of this pack return Data-Juicer's results.

#[path = "../../../tests/parity/check.rs"]
mod check;
#[path = "../../../tests/parity/lent.rs"]
mod lent;

#[test]
fn all_operators_agree_with_data_juicer() {
    // Data-Juicer has none of these, or with models of other formats.
    const OTHERS: [&str; 4] = [
        "fasttext_classifier_filter",
        "embedding_mapper",
        "text_embd_similarity_filter",
        "onnx_classifier_filter",
    ];
    let mut operators = djhost_models::operators();
    operators.retain(|operator| !OTHERS.contains(&(operator.describe)().name));
    check::check_lent(operators, lent::lend_models);
}
