//! The filters of this pack decide without their stats as they do with them.

#[path = "../../../tests/parity/decisions.rs"]
mod decisions;

#[test]
fn without_its_stat_a_filter_keeps_the_same_rows() {
    let expected = [
        "text_length_filter",
        "words_num_filter",
        "average_line_length_filter",
        "maximum_line_length_filter",
        "character_repetition_filter",
        "word_repetition_filter",
    ];
    decisions::check(djhost_text_filters::operators(), &expected);
}
