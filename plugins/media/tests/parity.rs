//! The operators of this pack return Data-Juicer's results.

#[path = "../../../tests/parity/check.rs"]
mod check;
#[path = "../../../tests/parity/lent.rs"]
mod lent;

#[test]
fn all_operators_agree_with_data_juicer() {
    check::check_lent(djhost_media::operators(), lent::lend_models);
}
