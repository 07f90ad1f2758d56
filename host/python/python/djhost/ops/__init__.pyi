"""The operators as functions. Written by generate.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from typing_extensions import Unpack

from djhost.ops._common import Common, CommonOfFilters
from djhost.ops._describe import Description as Description
from djhost.ops._list import Operators as Operators
from djhost.ops._operator import Op as Op
from djhost.ops._operator import Operator as Operator
from djhost.ops._schema import Param as Param
from djhost.ops._tables import Plugin

__all__ = ["Description", "Op", "Operator", "Operators", "Param", "show"]

def list(*words: str, kind: str | None = None, plugins: Plugin | Iterable[Plugin] = (), allow_override: Iterable[str] = ()) -> Operators:
    """The operators that have all words in their name, kind, source, summary or parameters."""

def show(name: str, *, plugins: Plugin | Iterable[Plugin] = (), allow_override: Iterable[str] = ()) -> Description:
    """What is known of an operator: parameters, fields, stats, an example."""

def alphanumeric_filter(
    *,
    tokenization: bool = False,
    hf_tokenizer: str = "EleutherAI/pythia-6.9b-deduped",
    min_ratio: float = 0.25,
    max_ratio: float = ...,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of letters and digits lies in a range."""

def audio_duration_filter(
    *,
    min_duration: float = 0.0,
    max_duration: float = ...,
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose audio files last a number of seconds within bounds."""

def audio_nmf_snr_filter(
    *,
    min_snr: float = 0.0,
    max_snr: float = ...,
    nmf_iter_num: int = 500,
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose audio files have a ratio of signal to noise within bounds, in decibels."""

def audio_size_filter(
    *,
    min_size: str = "0",
    max_size: str = "1TB",
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose audio files are of a size within bounds, in bytes of the file."""

def average_line_length_filter(*, min_len: int = 10, max_len: int = ..., **common: Unpack[CommonOfFilters]) -> Op:
    """Keeps texts whose average line length lies in a range."""

def bloom_paragraph_deduplicator(
    *,
    unit: Literal["paragraph", "document"] = "paragraph",
    ngram_size: int | None = 13,
    min_words: int = 13,
    threshold: float = 0.8,
    document_threshold: float | None = 0.8,
    expected_keys: int = 100000000,
    false_positive_rate: float = 0.01,
    **common: Unpack[Common],
) -> Op:
    """Removes paragraphs of which most word n-grams were seen before, and drops documents that consist of such, by a Bloom filter: in memory that is known beforehand."""

def c4_badwords_filter(
    *,
    badwords_dir: str = "",
    keep_fraction: float = 0.0,
    fail_on_missing_language: bool = True,
    language_key: str = "language",
    default_language: str = "en",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops texts with a word of a list: C4's rule on bad words, for lists that you name."""

def c4_paragraph_filter(
    *,
    min_paragraphs: int = 3,
    min_paragraph_len: int = 200,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts with at least three long lines: the rule of mC4 on paragraphs."""

def c4_quality_mapper(
    *,
    split_paragraph: bool = True,
    remove_citations: bool = True,
    filter_no_terminal_punct: bool = True,
    min_num_sentences: int = 5,
    min_words_per_line: int = 3,
    max_word_length: int = 1000,
    filter_lorem_ipsum: bool = True,
    filter_javascript: bool = True,
    filter_curly_bracket: bool = True,
    filter_policy: bool = True,
    language: str = "en",
    **common: Unpack[Common],
) -> Op:
    """Keeps the lines of a text that read like sentences, and drops texts with few of them: C4's rules."""

def character_repetition_filter(
    *,
    rep_len: int = 10,
    min_ratio: float = 0.0,
    max_ratio: float = 0.5,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of repeated character n-grams lies in a range."""

def chinese_convert_mapper(
    *,
    mode: Literal["s2t", "t2s", "s2tw", "tw2s", "s2hk", "hk2s", "s2twp", "tw2sp", "t2tw", "tw2t", "hk2t", "t2hk", "t2jp", "jp2t"] = "s2t",
    **common: Unpack[Common],
) -> Op:
    """Converts between simplified, traditional and Japanese characters, with the dictionaries of OpenCC."""

def clean_copyright_mapper(**common: Unpack[Common]) -> Op:
    """Removes the copyright notice at the start of source code."""

def clean_email_mapper(*, pattern: str | None = None, repl: str = "", **common: Unpack[Common]) -> Op:
    """Removes email addresses, or puts something in their place."""

def clean_html_mapper(**common: Unpack[Common]) -> Op:
    """Takes the tags out of HTML and leaves the text."""

def clean_ip_mapper(*, pattern: str | None = None, repl: str = "", **common: Unpack[Common]) -> Op:
    """Removes IPv4 and IPv6 addresses, or puts something in their place."""

def clean_links_mapper(*, pattern: str | None = None, repl: str = "", **common: Unpack[Common]) -> Op:
    """Removes links, or puts something in their place."""

def document_deduplicator(
    *,
    lowercase: bool = False,
    ignore_non_character: bool = False,
    keep: str = "first",
    cluster_id_field: str | None = None,
    cluster_size_field: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """Drops documents whose text is equal to that of an earlier one."""

def document_line_deduplicator(
    *,
    frequency_threshold: int = 6,
    lowercase: bool = False,
    ignore_special_character: bool = False,
    min_line_length: int = 2,
    skip_brackets: bool = True,
    skip_markdown_headers: bool = True,
    skip_latex_env: bool = True,
    skip_html_tags: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Removes lines that many documents have, such as navigation, boilerplate and notices."""

def document_minhash_deduplicator(
    *,
    tokenization: Literal["space", "punctuation", "character", "sentencepiece", "word"] = "space",
    window_size: int = 5,
    lowercase: bool = True,
    ignore_pattern: str | None = None,
    num_permutations: int = 256,
    jaccard_threshold: float = 0.7,
    num_bands: int | None = None,
    num_rows_per_band: int | None = None,
    tokenizer_model: str | None = None,
    merge_short_documents: bool = False,
    skip_short_documents: bool = False,
    language: str = "en",
    simplify: bool = False,
    hash_function: Literal["sha1_32", "sha1_64", "xxhash_64"] = "sha1_32",
    fast_hash: bool = False,
    keep: str = "first",
    cluster_id_field: str | None = None,
    cluster_size_field: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """Drops documents that share most of their shingles with an earlier one, found by MinHash."""

def document_simhash_deduplicator(
    *,
    tokenization: Literal["space", "punctuation", "character", "sentencepiece", "word"] = "space",
    window_size: int = 6,
    lowercase: bool = True,
    ignore_pattern: str | None = None,
    num_blocks: int = 6,
    hamming_distance: int = 4,
    merge_short_documents: bool = False,
    keep: str = "first",
    cluster_id_field: str | None = None,
    cluster_size_field: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """Drops documents whose simhash differs in few bits from that of an earlier one."""

def embedding_mapper(
    *,
    model: str = "",
    tokenizer: str = "",
    pooling: Literal["mean", "cls", "last", "weighted_mean", "none"] = "mean",
    normalize: bool = True,
    max_length: int = 256,
    embedding_field: str = "embedding",
    **common: Unpack[Common],
) -> Op:
    """Writes the vector that a sentence model gives to a text into a field."""

def expand_macro_mapper(**common: Unpack[Common]) -> Op:
    """Puts the meaning of a LaTeX document's macros without arguments in their place."""

def extract_tables_from_html_mapper(
    *,
    tables_field_name: str = "html_tables",
    retain_html_tags: bool = False,
    include_header: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Takes the tables of HTML into a field: of each table its rows, of each row the texts of its cells."""

def fasttext_classifier_filter(
    *,
    model: str = "",
    label: str = "__label__hq",
    min_score: float = 0.5,
    max_score: float = 1.0,
    newlines: Literal["join", "space"] = "join",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts to which a fastText classifier gives a label with a probability in a range."""

def fineweb_quality_filter(
    *,
    line_punct_thr: float = 0.12,
    line_punct_exclude_zero: bool = False,
    stop_chars: Sequence[str] | None = None,
    short_line_thr: float = 0.67,
    short_line_length: int = 30,
    char_duplicates_ratio: float = 0.01,
    new_line_ratio: float = 0.3,
    language: str = "en",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops texts whose lines look like lists or menus: FineWeb's own rules."""

def fix_unicode_mapper(*, normalization: str | None = None, **common: Unpack[Common]) -> Op:
    """Repairs text with wrong characters: mojibake, HTML entities, ligatures, full-width letters, curly quotes, controls; then normalizes it."""

def flagged_words_filter(
    *,
    lang: str = "en",
    tokenization: bool = False,
    tokenizer_model: str = "",
    min_ratio: float = 0.0,
    max_ratio: float = 0.045,
    flagged_words_dir: str = "",
    use_words_aug: bool = False,
    words_aug_group_sizes: Sequence[int] = ...,
    words_aug_join_char: str = "",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of flagged words among the words lies in a range."""

def frequency_specified_field_selector(
    *,
    field_key: str = "",
    top_ratio: float | None = None,
    topk: int | None = None,
    reverse: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Keeps the rows with the most (or least) frequent values of a field."""

def general_field_filter(*, filter_condition: str = "", **common: Unpack[CommonOfFilters]) -> Op:
    """Keeps rows of which a condition over their fields is true."""

def gopher_quality_filter(
    *,
    min_doc_words: float | None = 50.0,
    max_doc_words: float | None = 100000.0,
    min_avg_word_length: float | None = 3.0,
    max_avg_word_length: float | None = 10.0,
    max_symbol_word_ratio: float | None = 0.1,
    max_bullet_lines_ratio: float | None = 0.9,
    max_ellipsis_lines_ratio: float | None = 0.3,
    max_non_alpha_words_ratio: float | None = 0.8,
    min_stop_words: float | None = 2.0,
    stop_words: Sequence[str] | None = None,
    language: str = "en",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops texts that do not read like prose: the rules of Gopher on words, symbols, bullets, ellipses and stop words."""

def gopher_repetition_filter(
    *,
    dup_line_frac: float | None = 0.3,
    dup_para_frac: float | None = 0.3,
    dup_line_char_frac: float | None = 0.2,
    dup_para_char_frac: float | None = 0.2,
    top_n_grams: Sequence[Sequence[Any]] = ...,
    dup_n_grams: Sequence[Sequence[Any]] = ...,
    language: str = "en",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops texts that repeat themselves: the rules of Gopher on paragraphs, lines and runs of words."""

def html_extract_mapper(
    *,
    html_key: str = "html",
    method: Literal["main", "plain"] = "main",
    favor: Literal["precision", "balanced", "recall"] = "balanced",
    include_tables: bool = True,
    include_links: bool = False,
    include_comments: bool = True,
    include_formatting: bool | None = None,
    output_format: Literal["text", "markdown"] = "text",
    main_content: bool = True,
    drop_empty: bool = False,
    title_key: str | None = None,
    author_key: str | None = None,
    date_key: str | None = None,
    language_key: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """Extracts the main text of HTML pages, as trafilatura or resiliparse do."""

def image_aspect_ratio_filter(
    *,
    min_ratio: float = 0.333,
    max_ratio: float = 3.0,
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose images have a ratio of width to height within bounds."""

def image_deduplicator(
    *,
    method: Literal["phash", "dhash", "whash", "ahash"] = "phash",
    consider_text: bool = False,
    **common: Unpack[Common],
) -> Op:
    """Drops rows whose images look the same as those of an earlier row."""

def image_shape_filter(
    *,
    min_width: int = 1,
    max_width: int = ...,
    min_height: int = 1,
    max_height: int = ...,
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose images are of a width and a height within bounds, in pixels."""

def image_size_filter(
    *,
    min_size: str = "0",
    max_size: str = "1TB",
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose images are of a size within bounds, in bytes of the file."""

def image_text_matching_filter(
    *,
    hf_blip: str = "Salesforce/blip-itm-base-coco",
    tokenizer: str = "",
    min_score: float = 0.003,
    max_score: float = 1.0,
    trust_remote_code: bool = False,
    horizontal_flip: bool = False,
    vertical_flip: bool = False,
    any_or_all: Literal["any", "all"] = "any",
    reduce_mode: Literal["avg", "max", "min"] = "avg",
    image_special_token: str = "<__dj__image>",
    audio_special_token: str = "<__dj__audio>",
    video_special_token: str = "<__dj__video>",
    eoc_special_token: str = "<|__dj__eoc|>",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose images match the texts around them as well as asked for."""

def image_text_similarity_filter(
    *,
    hf_clip: str = "openai/clip-vit-base-patch32",
    tokenizer: str = "",
    min_score: float = 0.1,
    max_score: float = 1.0,
    trust_remote_code: bool = False,
    horizontal_flip: bool = False,
    vertical_flip: bool = False,
    any_or_all: Literal["any", "all"] = "any",
    reduce_mode: Literal["avg", "max", "min"] = "avg",
    image_special_token: str = "<__dj__image>",
    audio_special_token: str = "<__dj__audio>",
    video_special_token: str = "<__dj__video>",
    eoc_special_token: str = "<|__dj__eoc|>",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose images are as similar to the texts around them as asked for."""

def key_value_grouper(*, group_by_keys: Sequence[str] | None = None, **common: Unpack[Common]) -> Op:
    """Makes one row of all rows that have the same values in some fields: each field becomes the list of their values."""

def language_id_score_filter(
    *,
    lang: str | Sequence[str] | None = "",
    min_score: float = 0.8,
    model: str = "",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts in given languages whose score is high enough."""

def line_filter_mapper(
    *,
    max_uppercase_ratio: float | None = 0.5,
    max_numeric_ratio: float | None = 0.999999,
    remove_counters: bool = True,
    min_words: int = 2,
    max_words: int | None = None,
    substrings: Sequence[Mapping[str, Any]] = ...,
    word_count_key: str = "",
    **common: Unpack[Common],
) -> Op:
    """Removes lines that are headings in capitals, numbers, counters, single words or buttons: the rules of RefinedWeb on lines, as DCLM applies them."""

def maximum_line_length_filter(*, min_len: int = 10, max_len: int = ..., **common: Unpack[CommonOfFilters]) -> Op:
    """Keeps texts whose longest line has a length in a range."""

def naive_grouper(**common: Unpack[Common]) -> Op:
    """Makes one row of all rows: each field becomes the list of their values."""

def naive_reverse_grouper(*, batch_meta_export_path: str | None = None, **common: Unpack[Common]) -> Op:
    """Makes many rows of one, the way back from a grouper: each row gets one value of the list of every field."""

def onnx_classifier_filter(
    *,
    model: str = "",
    tokenizer: str = "",
    fields: Sequence[str] = ...,
    labels: Sequence[str] = ...,
    label: str = "1",
    activation: Literal["softmax", "sigmoid", "none"] = "softmax",
    output: str = "",
    min_score: float = 0.5,
    max_score: float = 1.0,
    max_length: int = 512,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows to which a classifier in ONNX gives a label with a score in a range."""

def perplexity_filter(
    *,
    lang: str = "en",
    min_ppl: float = 0.0,
    max_ppl: float = 1500.0,
    model: str = "",
    tokenizer_model: str = "",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose perplexity lies in a range: those that a language model finds likely."""

def pii_redaction_mapper(
    *,
    mask_paths: bool = True,
    mask_emails: bool = True,
    mask_secrets: bool = True,
    mask_ids: bool = True,
    mask_phones: bool = True,
    mask_id_cards: bool = True,
    mask_channel_ids: bool = True,
    mask_platform_open_ids: bool = True,
    mask_pem: bool = True,
    mask_jwt: bool = True,
    mask_urls: bool = False,
    mask_ips: bool = True,
    mask_macs: bool = True,
    path_replacement: str = "[PATH_REDACTED]",
    email_replacement: str = "[EMAIL_REDACTED]",
    secret_replacement: str = "[REDACTED]",
    id_replacement: str = "[ID_REDACTED]",
    phone_replacement: str = "[PHONE_REDACTED]",
    id_card_replacement: str = "[ID_CARD_REDACTED]",
    channel_id_replacement: str = "[CHANNEL_ID_REDACTED]",
    pem_replacement: str = "[PEM_REDACTED]",
    jwt_replacement: str = "[JWT_REDACTED]",
    url_replacement: str = "[URL_REDACTED]",
    ip_replacement: str = "[IP_REDACTED]",
    mac_replacement: str = "[MAC_REDACTED]",
    extra_patterns: Sequence[Sequence[Any]] = ...,
    redact_keys: Sequence[str] | None = None,
    messages_key: str | None = "messages",
    nested_keys: Sequence[str] = ...,
    **common: Unpack[Common],
) -> Op:
    """Puts placeholders in the place of personal data: paths, email addresses, secrets, IDs, phone numbers and more."""

def punctuation_normalization_mapper(**common: Unpack[Common]) -> Op:
    """Makes plain ASCII punctuation of typographic and full-width punctuation."""

def random_selector(
    *,
    select_ratio: float | None = None,
    select_num: int | None = None,
    **common: Unpack[Common],
) -> Op:
    """Keeps rows chosen at random: a share, or a number of them."""

def range_specified_field_selector(
    *,
    field_key: str = "",
    lower_percentile: float | None = None,
    upper_percentile: float | None = None,
    lower_rank: int | None = None,
    upper_rank: int | None = None,
    **common: Unpack[Common],
) -> Op:
    """Keeps the rows whose rank by the value of a field lies in a range."""

def ray_bts_minhash_deduplicator(
    *,
    tokenization: Literal["space", "punctuation", "character", "sentencepiece", "word"] = "space",
    window_size: int = 5,
    lowercase: bool = True,
    ignore_pattern: str | None = None,
    num_permutations: int = 256,
    jaccard_threshold: float = 0.7,
    num_bands: int | None = None,
    num_rows_per_band: int | None = None,
    tokenizer_model: str | None = None,
    merge_short_documents: bool = False,
    skip_short_documents: bool = False,
    language: str = "en",
    simplify: bool = False,
    hash_function: Literal["sha1_32", "sha1_64", "xxhash_64"] = "sha1_32",
    fast_hash: bool = False,
    keep: str = "first",
    cluster_id_field: str | None = None,
    cluster_size_field: str | None = None,
    union_find_parallel_num: int | str = "auto",
    union_threshold: int | None = None,
    max_pending_edge_buffer_task: int | None = None,
    num_edge_buffer_task_returns: int | None = None,
    max_pending_filter_tasks: int | None = None,
    num_filter_task_returns: int | None = None,
    merge_batch_size: int | None = None,
    minhash_batch_size: int | str = "auto",
    memory_per_sample: float | None = None,
    actor_memory: int | None = None,
    task_memory: int | None = None,
    **common: Unpack[Common],
) -> Op:
    """The same as `document_minhash_deduplicator`, under the name of Data-Juicer's distributed variant."""

def ray_document_deduplicator(
    *,
    backend: str | None = None,
    redis_address: str | None = None,
    dedup_set_num: int | str = "auto",
    lowercase: bool = False,
    ignore_non_character: bool = False,
    keep: str = "first",
    cluster_id_field: str | None = None,
    cluster_size_field: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """The same as `document_deduplicator`, under the name of Data-Juicer's distributed variant."""

def remove_bibliography_mapper(**common: Unpack[Common]) -> Op:
    """Removes the bibliography of a LaTeX document, with all that follows."""

def remove_comments_mapper(
    *,
    doc_type: str | Sequence[str] = "tex",
    inline: bool = True,
    multiline: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Removes the comments of a LaTeX document."""

def remove_header_mapper(*, drop_no_head: bool = True, **common: Unpack[Common]) -> Op:
    """Removes what stands before the first heading of a LaTeX document."""

def remove_long_words_mapper(*, min_len: int = 1, max_len: int = ..., **common: Unpack[Common]) -> Op:
    """Removes words whose length lies outside a range."""

def remove_non_chinese_character_mapper(
    *,
    keep_alphabet: bool = True,
    keep_number: bool = True,
    keep_punc: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Removes all characters that are not Chinese (U+4E00 to U+9FA5), except the kinds that are kept."""

def remove_repeat_sentences_mapper(
    *,
    lowercase: bool = False,
    ignore_special_character: bool = True,
    min_repeat_sentence_length: int = 2,
    tokenizer: str | None = None,
    **common: Unpack[Common],
) -> Op:
    """Removes sentences that the text has already had."""

def remove_specific_chars_mapper(
    *,
    chars_to_remove: str | Sequence[str] = "◆●■►▼▲▴∆▻▷❖♡□",
    **common: Unpack[Common],
) -> Op:
    """Removes the characters that are named."""

def remove_table_text_mapper(*, min_col: int = 2, max_col: int = 20, **common: Unpack[Common]) -> Op:
    """Removes tables: two or more lines, one after another, with the same number of columns."""

def remove_words_with_incorrect_substrings_mapper(
    *,
    lang: str = "en",
    tokenization: bool = False,
    tokenizer_model: str = "",
    substrings: Sequence[str] | None = ...,
    **common: Unpack[Common],
) -> Op:
    """Removes words that contain one of some strings."""

def replace_content_mapper(
    *,
    pattern: str | Sequence[str] | None = None,
    repl: str | Sequence[str] = "",
    **common: Unpack[Common],
) -> Op:
    """Replaces what one or several regular expressions match."""

def sentence_deduplicator(
    *,
    n_sentences: int = 3,
    split_sentences: bool = True,
    language: str = "en",
    simplify: bool = True,
    document_threshold: float | None = 0.999,
    expected_keys: int = 10000000,
    false_positive_rate: float = 0.0001,
    **common: Unpack[Common],
) -> Op:
    """Removes sentences that stand together in an earlier document, or earlier in the same one: C4's rule for spans of three sentences."""

def sentence_split_mapper(*, lang: str = "en", model: str = "", **common: Unpack[Common]) -> Op:
    """Puts each sentence on a line of its own."""

def special_characters_filter(
    *,
    min_ratio: float = 0.0,
    max_ratio: float = 0.25,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of special characters lies in a range."""

def specified_field_filter(
    *,
    field_key: str = "",
    target_value: Sequence[Any] = ...,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows where a field has one of some values."""

def specified_numeric_field_filter(
    *,
    field_key: str = "",
    min_value: float | None = ...,
    max_value: float | None = ...,
    drop_zero: bool = False,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows where the number in a field lies in a range."""

def stopwords_filter(
    *,
    lang: str = "en",
    tokenization: bool = False,
    tokenizer_model: str = "",
    min_ratio: float = 0.3,
    max_ratio: float = 1.0,
    stopwords_dir: str = "",
    use_words_aug: bool = False,
    words_aug_group_sizes: Sequence[int] = ...,
    words_aug_join_char: str = "",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of stop words among the words lies in a range."""

def suffix_filter(*, suffixes: str | Sequence[str] | None = ..., **common: Unpack[CommonOfFilters]) -> Op:
    """Keeps rows that come from a file with one of some suffixes, as the field `__dj__suffix__` says."""

def tags_specified_field_selector(
    *,
    field_key: str = "",
    target_tags: Sequence[str] = ...,
    **common: Unpack[Common],
) -> Op:
    """Keeps the rows where a field is one of some strings."""

def text_chunk_mapper(
    *,
    max_len: int | None = None,
    split_pattern: str | None = "\\n\\n",
    overlap_len: int = 0,
    tokenizer: str | None = None,
    trust_remote_code: bool = False,
    **common: Unpack[Common],
) -> Op:
    """Makes several rows of a long text: at matches of a pattern, after a number of characters, or both."""

def text_embd_similarity_filter(
    *,
    model: str = "",
    tokenizer: str = "",
    valid_dataset: Sequence[Mapping[str, Any]] = ...,
    min_score: float = 0.1,
    max_score: float = 1.0,
    pooling: Literal["mean", "cls", "last", "weighted_mean", "none"] = "mean",
    max_length: int = 256,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts that are on average as similar to some given texts as asked for."""

def text_length_filter(*, min_len: int = 10, max_len: int = ..., **common: Unpack[CommonOfFilters]) -> Op:
    """Keeps texts whose number of characters lies in a range."""

def token_num_filter(
    *,
    hf_tokenizer: str = "EleutherAI/pythia-6.9b-deduped",
    min_num: int = 10,
    max_num: int = ...,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose number of tokens lies in a range."""

def topk_specified_field_selector(
    *,
    field_key: str = "",
    top_ratio: float | None = None,
    topk: int | None = None,
    reverse: bool = True,
    **common: Unpack[Common],
) -> Op:
    """Keeps the rows with the greatest (or smallest) values of a field."""

def url_filter(
    *,
    url_key: str = "url",
    soft_word_threshold: int = 2,
    extra_domains: str = "",
    extra_urls: str = "",
    banned_words: str = "",
    banned_subwords: str = "",
    soft_banned_words: str = "",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops rows by their URL: domains, hosts, URLs and words from lists that you name."""

def video_aspect_ratio_filter(
    *,
    min_ratio: str = "9/21",
    max_ratio: str = "21/9",
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose videos have a ratio of width to height within bounds."""

def video_duration_filter(
    *,
    min_duration: float = 0.0,
    max_duration: float = ...,
    any_or_all: Literal["any", "all"] = "any",
    video_backend: Literal["ffmpeg", "av"] = "ffmpeg",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose videos last a number of seconds within bounds."""

def video_resolution_filter(
    *,
    min_width: int = 1,
    max_width: int = ...,
    min_height: int = 1,
    max_height: int = ...,
    any_or_all: Literal["any", "all"] = "any",
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps rows whose videos are of a width and a height within bounds, in pixels."""

def whitespace_normalization_mapper(**common: Unpack[Common]) -> Op:
    """Makes plain spaces of the many characters that look like one, and strips white space at both ends."""

def word_removal_ratio_filter(
    *,
    prev_word_count_key: str = "previous_word_count",
    max_removed_ratio: float = 0.05,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Drops texts that lost too many of their words since they were counted: DCLM's rule after those on lines."""

def word_repetition_filter(
    *,
    lang: str = "en",
    tokenization: bool = False,
    tokenizer_model: str = "",
    rep_len: int = 10,
    min_ratio: float = 0.0,
    max_ratio: float = 0.5,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose share of repeated word n-grams lies in a range."""

def words_num_filter(
    *,
    lang: str = "en",
    tokenization: bool = False,
    tokenizer_model: str = "",
    min_num: int = 10,
    max_num: int = ...,
    **common: Unpack[CommonOfFilters],
) -> Op:
    """Keeps texts whose number of words lies in a range."""
