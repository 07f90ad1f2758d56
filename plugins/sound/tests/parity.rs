//! The operators of this pack return Data-Juicer's results.

#[path = "../../../tests/parity/check.rs"]
mod check;

#[test]
fn all_operators_agree_with_data_juicer() {
    check::check(djhost_sound::operators());
}
