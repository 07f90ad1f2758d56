// The packs and their operators. Compiled into the build script and into the crate.

/// The directories next to this one that contain a pack, and the names of its operators. The crate
/// is called `djhost-` and the name of the directory, the component `djhost_NAME.wasm`.
///
/// By these names a run compiles only the packs that its recipe needs. An operator that is missing
/// here is still found, but only after all packs were compiled; a test of the host compares.
const PACKS: [(&str, &[&str]); 12] = [
    (
        "text-filters",
        &[
            "average_line_length_filter",
            "character_repetition_filter",
            "flagged_words_filter",
            "general_field_filter",
            "maximum_line_length_filter",
            "special_characters_filter",
            "specified_field_filter",
            "specified_numeric_field_filter",
            "stopwords_filter",
            "suffix_filter",
            "text_length_filter",
            "word_repetition_filter",
            "words_num_filter",
        ],
    ),
    (
        "text-mappers",
        &[
            "clean_copyright_mapper",
            "clean_email_mapper",
            "clean_ip_mapper",
            "clean_links_mapper",
            "expand_macro_mapper",
            "fix_unicode_mapper",
            "punctuation_normalization_mapper",
            "remove_bibliography_mapper",
            "remove_comments_mapper",
            "remove_header_mapper",
            "remove_long_words_mapper",
            "remove_non_chinese_character_mapper",
            "remove_repeat_sentences_mapper",
            "remove_specific_chars_mapper",
            "remove_table_text_mapper",
            "remove_words_with_incorrect_substrings_mapper",
            "replace_content_mapper",
            "sentence_split_mapper",
            "whitespace_normalization_mapper",
        ],
    ),
    (
        "dedup",
        &[
            "bloom_paragraph_deduplicator",
            "document_deduplicator",
            "document_line_deduplicator",
            "document_minhash_deduplicator",
            "document_simhash_deduplicator",
            "ray_bts_minhash_deduplicator",
            "ray_document_deduplicator",
            "sentence_deduplicator",
        ],
    ),
    (
        "corpus",
        &[
            "c4_badwords_filter",
            "c4_paragraph_filter",
            "c4_quality_mapper",
            "fineweb_quality_filter",
            "gopher_quality_filter",
            "gopher_repetition_filter",
            "line_filter_mapper",
            "url_filter",
            "word_removal_ratio_filter",
        ],
    ),
    ("html", &["html_extract_mapper"]),
    (
        "selectors",
        &[
            "frequency_specified_field_selector",
            "random_selector",
            "range_specified_field_selector",
            "tags_specified_field_selector",
            "topk_specified_field_selector",
        ],
    ),
    ("groupers", &["key_value_grouper", "naive_grouper", "naive_reverse_grouper"]),
    ("markup-mappers", &["clean_html_mapper", "extract_tables_from_html_mapper"]),
    ("chinese-mappers", &["chinese_convert_mapper"]),
    ("privacy-mappers", &["pii_redaction_mapper"]),
    (
        "models",
        &[
            "alphanumeric_filter",
            "fasttext_classifier_filter",
            "language_id_score_filter",
            "perplexity_filter",
            "text_chunk_mapper",
            "token_num_filter",
        ],
    ),
    (
        "media",
        &[
            "audio_duration_filter",
            "audio_size_filter",
            "image_aspect_ratio_filter",
            "image_deduplicator",
            "image_shape_filter",
            "image_size_filter",
            "video_aspect_ratio_filter",
            "video_duration_filter",
            "video_resolution_filter",
        ],
    ),
];
