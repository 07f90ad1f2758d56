"""Writes goldens/OPERATOR.jsonl: what Data-Juicer 1.6.1 makes of the fixture. `cargo test` compares djhost's operators with it.

    python3.11 -m venv /tmp/data-juicer
    /tmp/data-juicer/bin/pip install py-data-juicer==1.6.1 aiohttp
    /tmp/data-juicer/bin/python tests/parity/make_goldens.py

`document_simhash_deduplicator` needs `simhash-pybind` too, `sentence_split_mapper` `nltk==3.10.3`, operators with tokenizers `transformers==4.57.1 sentencepiece==0.2.3`. With the path of another JSONL file and of a directory as arguments it compares
on other data; nothing of that is to be committed. Names of operators after the two paths make only the goldens of those.

`image_deduplicator` needs `imagededup` and what it imports (`PyWavelets`, `scikit-learn`, `matplotlib`), the filters over audio and video `av==13.1.0`, the
latter `ffprobe` too. `audio_nmf_snr_filter` needs `librosa==0.11.0 scikit-learn==1.7.2 soundfile`, those over images with texts `torch==2.6.0 transformers==4.54.1` and
what `make_pairs.py` has left in /tmp/pairs.

A line is one set of parameters: `op`, `params`, and of the answer `keep` (a character per row, 1 or 0), `stats` (by key, a value per row)
`texts` (by row number, only those that changed), or
`rows` (by row number, the texts of the rows made of it, only where that is another one), or
`fields` (by path and row number, the values of other fields), or
`groups` (the row numbers of each group) and `made` (the rows made of `fixture`). `fixture` names other rows than those of fixture.jsonl.
"""

import inspect
import json
import pathlib
import sys
import types

from data_juicer.core.data import NestedDataset
from data_juicer.ops import OPERATORS
from data_juicer.ops.base_op import NON_STATS_FILTERS
from datasets import Dataset, disable_progress_bars

HERE = pathlib.Path(__file__).resolve().parent
STATS = "__dj__stats__"

# The directory of word lists. `check.rs` reads the name from here too.
WORDS = "words"
# The model of `make_model.py`, from here. Data-Juicer has no such parameter, it downloads one: it is given this one in its place.
MODEL = "models/lang.ftz"
# The parameters of `make_punkt.py`, likewise.
PUNKT = "models/punkt"
# Those of `make_tokenizers.py`; the same holds for them.
PIECES = [{"tokenization": True, "tokenizer_model": f"models/{kind}.model"} for kind in ["unigram", "bpe"]]
HF = ["models/bytelevel", "models/wordpiece"]
# Data-Juicer has no such parameter: it is as if it were always set.
ZERO = {"drop_zero": True}
# What the stats depend on.
STATS_PARAMS = ["tokenization", "tokenizer_model", "hf_tokenizer", "rep_len", "lang", "use_words_aug", "words_aug_group_sizes", "words_aug_join_char", "filter_condition", "model", "video_backend", "nmf_iter_num", "horizontal_flip", "vertical_flip", "reduce_mode", "image_special_token"]
# These copy the field into the stats, which djhost does not.
COPIES = {"specified_field_filter", "specified_numeric_field_filter"}
# The library behind it loses what follows a NUL; djhost does not. It is given what is between them.
LOSES_AT_NUL = {"chinese_convert_mapper"}
# The fixture's rows come from no file: the number of a row gives the suffix, here as in `check.rs`.
SUFFIXES = [".txt", ".md", "txt"]

FILTERS = {
    "text_length_filter": [{}, {"min_len": 5, "max_len": 60}, {"min_len": 5, "max_len": 60, "reversed_range": True},
                           {"min_len": 1, "max_len": 21, "min_closed_interval": False, "max_closed_interval": False}],
    "words_num_filter": [{}, {"min_num": 3, "max_num": 30}, {"lang": "zh", "min_num": 1}, *[{"min_num": 20, **pieces} for pieces in PIECES]],
    "token_num_filter": [{"hf_tokenizer": HF[0]}, {"hf_tokenizer": HF[1], "min_num": 20, "max_num": 300}, {"hf_tokenizer": HF[0], "reversed_range": True}],
    "alphanumeric_filter": [{}, {"min_ratio": 0.6, "max_ratio": 0.9}, {"min_ratio": 0.5, "min_closed_interval": False},
                            *[{"tokenization": True, "hf_tokenizer": name, "min_ratio": 1.5} for name in HF]],
    "special_characters_filter": [{}, {"min_ratio": 0.1, "max_ratio": 0.5}],
    "average_line_length_filter": [{}, {"min_len": 3, "max_len": 40}],
    "maximum_line_length_filter": [{}, {"min_len": 20, "max_len": 200}],
    "character_repetition_filter": [{}, {"rep_len": 1, "max_ratio": 0.3}, {"rep_len": 3, "min_ratio": 0.05, "max_ratio": 0.4}, {"rep_len": 25}],
    "word_repetition_filter": [{}, {"rep_len": 1, "max_ratio": 0.3}, {"rep_len": 2, "min_ratio": 0.01}, {"rep_len": 5, "max_ratio": 0.1},
                               *[{"rep_len": 3, "max_ratio": 0.2, **pieces} for pieces in PIECES]],
    "stopwords_filter": [{"stopwords_dir": WORDS}, {"stopwords_dir": WORDS, "min_ratio": 0.1, "max_ratio": 0.5}, {"stopwords_dir": WORDS, "lang": "all"},
                         {"stopwords_dir": WORDS, "lang": "zh", "use_words_aug": True, "min_ratio": 0.05},
                         {"stopwords_dir": WORDS, "lang": "th", "use_words_aug": True, "words_aug_group_sizes": [1, 2, 3], "min_ratio": 0.1},
                         *[{"stopwords_dir": WORDS, "lang": "all", "min_ratio": 0.05, "use_words_aug": True, **pieces} for pieces in PIECES]],
    "flagged_words_filter": [{"flagged_words_dir": WORDS}, {"flagged_words_dir": WORDS, "lang": "all", "max_ratio": 0.1},
                             {"flagged_words_dir": WORDS, "lang": "th", "use_words_aug": True},
                             {"flagged_words_dir": WORDS, "use_words_aug": True, "words_aug_group_sizes": [2, 3], "words_aug_join_char": " "},
                             *[{"flagged_words_dir": WORDS, "lang": "all", "use_words_aug": True, **pieces} for pieces in PIECES]],
    "specified_field_filter": [{"field_key": "meta.lang", "target_value": ["en", "zh", None]}, {"field_key": "rank", "target_value": [1, 2.0, 30, True, "4"]},
                               {"field_key": "meta.lang", "target_value": ["en"], "reversed_range": True}, {"field_key": "rank"},
                               {"field_key": "meta.ratios", "target_value": [i / 100 for i in range(0, 100, 2)]},
                               {"field_key": "meta.spelled", "target_value": ["none", " 7.5 ", "53", 7.5]}],
    "specified_numeric_field_filter": [{"field_key": "rank", "min_value": 5, "max_value": 40, **ZERO}, {"field_key": "meta.score", "min_value": 0.5, **ZERO},
                                       {"field_key": "meta.score", "max_value": 2, "reversed_range": True, **ZERO}, {"field_key": "rank", **ZERO},
                                       {"field_key": "meta.spelled", "min_value": 7.5, "max_value": 60, **ZERO},
                                       {"field_key": "meta.spelled", "min_value": 7.5, "max_value": 57, "min_closed_interval": False, **ZERO}],
    "language_id_score_filter": [{"model": MODEL}, {"model": MODEL, "lang": "LATIN", "min_score": 0.5}, {"model": MODEL, "lang": ["CJK", "LATIN"], "min_score": 0.3},
                                 {"model": MODEL, "min_score": 0.5, "reversed_range": True}],
    "suffix_filter": [{}, {"suffixes": ".txt"}, {"suffixes": ["txt", ".md"]}, {"suffixes": [".md"], "reversed_range": True}],
    "general_field_filter": [
        {}, {"filter_condition": "10 < rank <= 30 and text != 'nothing here' and meta.lang == \"en\""},
        {"filter_condition": "not (rank < 10 or meta.score > 1) or missing == 3"}, {"filter_condition": "meta.lang in ['en', 'zh', None] and 1e0 < meta.score"},
        {"filter_condition": "meta.lang not in ('en', \"zh\") and 'a' in text"}, {"filter_condition": "-rank > -25 != meta.score"},
        {"filter_condition": "meta.spelled == 'none' or meta.spelled < '5' or '\\x37' in meta.spelled"}, {"filter_condition": "meta.lang != None or meta.score == None"},
        {"filter_condition": "0.5 in meta.ratios or [] == meta.ratios or meta.ratios > [0.9]"}, {"filter_condition": "'lang' in meta and rank in {1, 2, 0x1f, 1_0}"},
        {"filter_condition": "(rank > 30) == True != False"}, {"filter_condition": "meta.absent.deeper not in [1] and +rank >= 20 and 'A' <= text < 'z'"},
    ],
}
# For answers that are long: every sixth row.
FEW = "few.jsonl"
MAPPERS = {
    "whitespace_normalization_mapper": [{}],
    "clean_email_mapper": [{}, {"repl": "<EMAIL>"}, {"pattern": r"r'\w+@\w+'", "repl": r"[\g<0>]"}, {"pattern": r"x*", "repl": "-"}],
    "clean_links_mapper": [{}, {"repl": r"<\1>"}, {"repl": "\\\\n"}, {"pattern": r"(?i)(h)t+ps?://(\S+)", "repl": r"\2 \1"},
                           {"pattern": r"[[\]&&]|{x}|\d{,2}:"}],
    "punctuation_normalization_mapper": [{}],
    "clean_copyright_mapper": [{}],
    "clean_ip_mapper": [{}, {"repl": "<IP>"}, {"pattern": r"\d+\.\d+", "repl": r"[\g<0>]"}],
    "replace_content_mapper": [{}, {"pattern": r"[aeiou]+"}, {"pattern": [r"\d+", "r'(.)\\.'", "日"], "repl": ["0", r"\1!", "<>"]},
                               {"pattern": ["e", "t"], "repl": "_"}],
    "remove_specific_chars_mapper": [{}, {"chars_to_remove": "ae ]-^。é"}, {"chars_to_remove": ["日", "the", "😀"]}, {"chars_to_remove": ""}],
    "remove_non_chinese_character_mapper": [{}, {"keep_alphabet": False, "keep_number": False}, {"keep_punc": False}],
    "remove_comments_mapper": [{}, {"inline": False}, {"multiline": False, "doc_type": ["tex"]}],
    "remove_header_mapper": [{}, {"drop_no_head": False}],
    "remove_bibliography_mapper": [{}],
    "remove_long_words_mapper": [{}, {"max_len": 12}, {"min_len": 3, "max_len": 8}, {"min_len": 4}],
    "remove_words_with_incorrect_substrings_mapper": [{}, {"substrings": ["a", "日", "//"]}, {"substrings": [".com", ""]}, {"substrings": [], "lang": "zh"},
                                                     *[{"substrings": ["http", "www", "th", "日"], **pieces, "fixture": FEW} for pieces in PIECES]],
    "remove_repeat_sentences_mapper": [{}, {"lowercase": True}, {"ignore_special_character": False}, {"min_repeat_sentence_length": 12},
                                       {"lowercase": True, "ignore_special_character": False, "min_repeat_sentence_length": 1}],
    "remove_table_text_mapper": [{}, {"min_col": 3}, {"max_col": 2}, {"min_col": 3, "max_col": 5}],
    "expand_macro_mapper": [{}],
    "fix_unicode_mapper": [{}, {"normalization": "NFKC"}, {"normalization": "nfd"}, {"normalization": "NFKD"}],
    "clean_html_mapper": [{}],
    "sentence_split_mapper": [{"model": PUNKT}],
    "pii_redaction_mapper": [
        {}, {"mask_urls": True, "mask_paths": False, "url_replacement": "<URL>", "email_replacement": r"\\@\n"}, {"mask_emails": False, "mask_ips": False, "redact_keys": ["text", "text"]},
        {f"mask_{kind}": False for kind in ["secrets", "ids", "phones", "id_cards", "channel_ids", "platform_open_ids", "pem", "jwt", "macs"]} | {"path_replacement": "P "},
        {"extra_patterns": [[r"(\w+)@", r"\1 at "], ["x*", "-"]], "redact_keys": ["text"]}, {"extra_patterns": [[r"(?i)the (?P<noun>\w+)", r"\g<noun>"]]},
    ],
    "chinese_convert_mapper": [{"mode": mode} for mode in "s2t t2s s2tw tw2s s2hk hk2s s2twp tw2sp t2tw tw2t hk2t t2hk t2jp jp2t".split()],
}
# Mappers that write other fields, on documents of their own.
FIELD_MAPPERS = {
    "extract_tables_from_html_mapper": [{}, {"include_header": False}, {"retain_html_tags": True}, {"tables_field_name": "found"}],
}
FIXTURES = {"extract_tables_from_html_mapper": "html.jsonl"}
# Data-Juicer has no such parameter: it is as if it were always set.
SHORT = {"merge_short_documents": True}
DEDUPLICATORS = {
    "document_deduplicator": [{}, {"lowercase": True}, {"ignore_non_character": True}, {"lowercase": True, "ignore_non_character": True}],
    "document_minhash_deduplicator": [
        SHORT, {"window_size": 1}, {"window_size": 1, "jaccard_threshold": 0.4, "lowercase": False}, {"tokenization": "character", "window_size": 1},
        {"tokenization": "character", "jaccard_threshold": 0.5, **SHORT}, {"tokenization": "punctuation", "window_size": 2, "jaccard_threshold": 0.3, **SHORT},
        {"ignore_pattern": r"\d+|[.,]$|\p{P}", "window_size": 2, "jaccard_threshold": 0.6, **SHORT},
        {"window_size": 3, "num_permutations": 64, "num_bands": 16, "num_rows_per_band": 3, **SHORT}, {"window_size": 2, "num_permutations": 100, **SHORT},
        *[{"tokenization": "sentencepiece", "tokenizer_model": pieces["tokenizer_model"], "window_size": 3, **SHORT} for pieces in PIECES],
    ],
    "document_simhash_deduplicator": [
        SHORT, {"window_size": 1}, {"window_size": 1, "hamming_distance": 9, "num_blocks": 12, **SHORT}, {"tokenization": "character", **SHORT},
        {"tokenization": "character", "window_size": 1, "hamming_distance": 6, "num_blocks": 8, "lowercase": False},
        {"tokenization": "punctuation", "window_size": 2, "hamming_distance": 2, "num_blocks": 4, **SHORT},
        {"ignore_pattern": r"\d+|[.,]$|\p{P}", "window_size": 2, "hamming_distance": 1, "num_blocks": 2, **SHORT},
    ],
}
# Deduplicators that remove lines of rows.
LINE_DEDUPLICATORS = {
    "document_line_deduplicator": [{}, {"frequency_threshold": 1}, {"frequency_threshold": 1, "lowercase": True, "ignore_special_character": True},
                                   {"frequency_threshold": 2, "min_line_length": 0, "skip_brackets": False, "skip_html_tags": False},
                                   {"frequency_threshold": 0, "min_line_length": 20, "skip_markdown_headers": False, "skip_latex_env": False}],
}
# Mappers that make several rows of one.
EXPANDERS = {
    "text_chunk_mapper": [{}, {"split_pattern": None, "max_len": 20}, {"fixture": FEW, "split_pattern": None, "max_len": 50, "overlap_len": 7},
                          {"fixture": FEW, "max_len": 40}, {"split_pattern": r"[.!?。][ \n]*", "max_len": 60, "overlap_len": 5},
                          {"fixture": FEW, "split_pattern": r"([ \n])|(,)"},
                          *[{"fixture": FEW, "tokenizer": name, **params} for name in HF for params in [
                              {"max_len": 60, "split_pattern": None}, {"max_len": 50, "overlap_len": 7}, {"max_len": 90, "split_pattern": r"[.!?。][ \n]*"}]]],
}
# Data-Juicer's Ray variants do on a cluster what these do on one machine; the answers are theirs.
ALIASES = {"ray_document_deduplicator": "document_deduplicator", "ray_bts_minhash_deduplicator": "document_minhash_deduplicator"}
# Over the files of media.jsonl: what kind of files they read.
ANY = [{}, {"any_or_all": "all"}]
MEDIA = {
    "image_aspect_ratio_filter": [*ANY, {"min_ratio": 0.8, "max_ratio": 1.5}, {"min_ratio": 0.8, "max_ratio": 1.5, "any_or_all": "all", "reversed_range": True}],
    "image_shape_filter": [*ANY, {"min_width": 60, "max_width": 96, "max_height": 64}, {"min_width": 60, "max_width": 96, "max_height": 64, "any_or_all": "all"},
                           {"max_width": 96, "max_closed_interval": False}],
    "image_size_filter": [*ANY, {"min_size": "1kb", "max_size": "8KiB"}, {"min_size": "1kb", "max_size": "8000", "any_or_all": "all"}],
    "audio_duration_filter": [*ANY, {"min_duration": 1, "max_duration": 2}, {"min_duration": 0.5, "max_duration": 1.3, "any_or_all": "all"}],
    "audio_size_filter": [*ANY, {"min_size": "5kb", "max_size": "10kb"}, {"max_size": "10kb", "any_or_all": "all", "reversed_range": True}],
    "video_duration_filter": [*ANY, {"min_duration": 1, "max_duration": 1.4}, {"min_duration": 1.0, "any_or_all": "all", "min_closed_interval": False},
                              {"video_backend": "av", "max_duration": 1.3333}],
    "video_resolution_filter": [*ANY, {"min_width": 70, "max_height": 60}, {"min_width": 64, "max_width": 96, "min_height": 48, "any_or_all": "all"}],
    "video_aspect_ratio_filter": [*ANY, {"min_ratio": "4:3", "max_ratio": "16/9"}, {"min_ratio": "4/3", "max_ratio": "7/3", "any_or_all": "all", "max_closed_interval": False}],
    "image_deduplicator": [{}, {"method": "dhash"}, {"method": "whash"}, {"method": "ahash"}, {"consider_text": True}, {"method": "ahash", "consider_text": True}],
}
SNR = [*ANY, {"min_snr": 5, "max_snr": 20}, {"min_snr": -3, "max_snr": 12, "any_or_all": "all"}, {"nmf_iter_num": 3, "min_snr": 1}]
PAIRS = [*ANY, {"horizontal_flip": True}, {"vertical_flip": True}, {"reduce_mode": "max"}, {"reduce_mode": "min", "any_or_all": "all"}, {"image_special_token": "<image>"}]
MEDIA |= {
    "audio_nmf_snr_filter": SNR,
    "image_text_similarity_filter": [{"hf_clip": "models/clip", "min_score": -0.1, **params} for params in PAIRS],
    "image_text_matching_filter": [{"hf_blip": "models/blip", "min_score": 0.5, **params} for params in PAIRS],
}
MEDIA_FIXTURES = {"audio_nmf_snr_filter": "sounds.jsonl", "image_text_similarity_filter": "pairs.jsonl", "image_text_matching_filter": "pairs.jsonl"}
# The networks of the parameters in transformers' own format.
NETWORKS = pathlib.Path("/tmp/pairs")
# What of the files djhost knows better, or does not know; the rows that name them are not compared.
MEDIA_APART = {
    # Only the headers are read.
    "image": {"media/cut-pixels.jpg"}, "audio": set(),
    # PyAV, other than ffprobe, does not know how long these are.
    "video": {"media/clip.mkv", "media/clip.webm"},
    # A height of 1 or 3 pixels is taken for colours.
    "image_text_similarity_filter": {"media/one.png"}, "image_text_matching_filter": {"media/one.png"},
    "image_deduplicator": {"media/a.tif", "media/turned-5.tif", "media/a.ico", "media/a.avif"},
}
DEDUPLICATORS |= {alias: DEDUPLICATORS[name] for alias, name in ALIASES.items()}
SELECTORS = {
    "random_selector": [{"select_num": 50}, {"select_ratio": 0.3}, {"select_ratio": 0.5, "select_num": 17}, {}],
    "topk_specified_field_selector": [{"field_key": "rank", "topk": 40}, {"field_key": "meta.score", "top_ratio": 0.25},
                                      {"field_key": "meta.score", "topk": 100, "reverse": False}, {"field_key": "meta.spelled", "topk": 60},
                                      {"field_key": "meta.ratios", "top_ratio": 0.5, "topk": 33}, {"field_key": "meta.ratios"}],
    "range_specified_field_selector": [{"field_key": "rank", "lower_percentile": 0.2, "upper_percentile": 0.7},
                                       {"field_key": "meta.score", "lower_rank": 100, "upper_rank": 250},
                                       {"field_key": "meta.ratios", "lower_rank": 30, "lower_percentile": 0.5, "upper_percentile": 0.9},
                                       {"field_key": "meta.spelled", "lower_percentile": 0.6, "upper_rank": 10}, {"field_key": "rank", "lower_rank": 3}],
    "frequency_specified_field_selector": [{"field_key": "rank", "topk": 5}, {"field_key": "meta.lang", "top_ratio": 0.3},
                                           {"field_key": "meta.lang", "topk": 4, "reverse": False}, {"field_key": "meta.spelled", "topk": 3}],
    "tags_specified_field_selector": [{"field_key": "meta.lang", "target_tags": ["en", "zh"]}, {"field_key": "meta.spelled", "target_tags": ["7", " 7.5 "]}],
}
GROUPERS = {
    "naive_grouper": [{}],
    "key_value_grouper": [{}, {"group_by_keys": ["meta.lang"]}, {"group_by_keys": ["rank", "meta.spelled"]}, {"group_by_keys": ["meta.ratios"]},
                          {"group_by_keys": ["__dj__suffix__", "meta.lang"]}, {"group_by_keys": ["meta"]}],
}
# Groups of rows, each row a file of its own for Data-Juicer: its table would make their fields the same.
GROUPS = "groups.jsonl"
REVERSE_GROUPERS = {"naive_reverse_grouper": [{}]}


def filtered(op, rows):
    samples = {key: [row.get(key) for row in rows] for key in ["text", "rank", "meta"]}
    samples["__dj__suffix__"] = [SUFFIXES[i % len(SUFFIXES)] for i in range(len(rows))]
    samples[STATS] = [{} for _ in rows]
    samples = op.compute_stats_batched(samples)
    if op._name in NON_STATS_FILTERS.modules:
        keep = [op.process_single(dict(zip(samples, values))) for values in zip(*samples.values())]
    else:
        keep = list(op.process_batched(samples))
    keys = [] if op._name in COPIES else list(samples[STATS][0])
    return {"keep": bits(keep), "stats": {key: [stat[key] for stat in samples[STATS]] for key in keys}}


def use_model(path):
    """Gives Data-Juicer's language filter this fastText model; needs the package `fasttext-predict`."""
    import fasttext
    from data_juicer.ops.filter import language_id_score_filter as module

    model = fasttext.load_model(str(path))
    module.prepare_model = lambda model_type: model_type
    module.get_model = lambda key: model


def use_punkt(directory):
    """Gives Data-Juicer's sentence splitter these parameters in the format of nltk's `punkt_tab`; needs the package `nltk` 3.10.3."""
    from data_juicer.ops.mapper import sentence_split_mapper as module
    from nltk.tabdata import PunktDecoder
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    decoder, params = PunktDecoder(), PunktParameters()
    lines = lambda name: open(directory / name, encoding="utf-8")
    params.abbrev_types = decoder.txt2set(lines("abbrev_types.txt"))
    params.sent_starters = decoder.txt2set(lines("sent_starters.txt"))
    params.collocations = set(decoder.tab2tups(lines("collocations.tab")))
    params.ortho_context = decoder.tab2intdict(lines("ortho_context.tab"))
    module.prepare_model = lambda model_type, lang: model_type
    module.get_model = lambda key: PunktSentenceTokenizer(params)


def use_tokenizer(name, params):
    """Gives Data-Juicer's operator the tokenizers that the parameters name, in place of those that it would load; gives what it knows of these."""
    module = sys.modules[OPERATORS.modules[name].__module__]
    if "tokenizer_model" in params:
        import sentencepiece

        model = sentencepiece.SentencePieceProcessor(model_file=str(HERE / params["tokenizer_model"]))
        module.prepare_sentencepiece_model = lambda path: model
    else:
        import transformers

        model = transformers.PreTrainedTokenizerFast(tokenizer_file=str(HERE / (params.get("hf_tokenizer") or params["tokenizer"]) / "tokenizer.json"))
    module.prepare_model = lambda model_type, **params: "model"
    module.get_model = lambda key, **where: key and ((None, model) if "tokenizer" in params else model)
    known = inspect.signature(OPERATORS.modules[name].__init__).parameters
    return {key: value for key, value in params.items() if key in known or key not in ["tokenizer_model", "hf_tokenizer"]}


def mapped(op, rows):
    before = [row["text"] for row in rows]
    if op._name in LOSES_AT_NUL:
        after = ["\0".join(op.process_batched({"text": text.split("\0")})["text"]) for text in before]
    elif op.is_batched_op():
        after = op.process_batched({"text": list(before)})["text"]
    else:
        after = [op.process_single({"text": text})["text"] for text in before]
    return {"texts": {i: new for i, (old, new) in enumerate(zip(before, after)) if old != new}}


def noted(op, rows):
    made = [op.process_single(json.loads(json.dumps(row)))["__dj__meta__"] for row in rows]
    names = {name for row, meta in zip(rows, made) for name in {**row["__dj__meta__"], **meta}}
    return {"fields": {f"__dj__meta__.{name}": {i: meta[name] for i, meta in enumerate(made) if name in meta} for name in sorted(names)}}


def expanded(op, rows):
    made = [op.process_batched({"text": [row["text"]]})["text"] for row in rows]
    return {"rows": {i: texts for i, (row, texts) in enumerate(zip(rows, made)) if texts != [row["text"]]}}


def deduplicated(op, rows):
    dataset = NestedDataset(Dataset.from_list([op.compute_hash({"text": row["text"], "number": i}) for i, row in enumerate(rows)]))
    kept = set(op.process(dataset)[0]["number"])
    return {"keep": bits(i in kept for i in range(len(rows)))}


def thinned(op, rows):
    dataset = NestedDataset(Dataset.from_list([op.compute_hash({"text": row["text"]}) for row in rows]))
    after = op.process(dataset)[0]["text"]
    return {"texts": {i: new for i, (row, new) in enumerate(zip(rows, after)) if row["text"] != new}}


def selected(op, rows):
    dataset = NestedDataset(Dataset.from_list([{**row, "number": i} for i, row in enumerate(rows)]))
    kept = set(op.process(dataset)["number"])
    return {"keep": bits(i in kept for i in range(len(rows)))}


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def hear(path):
    """Decodes as `torchcodec` does, with FFmpeg's libraries, but does not need PyTorch."""
    import av
    import numpy as np

    with av.open(path) as file:
        frames = list(file.decode(file.streams.audio[0]))
    return np.zeros(sum(frame.samples for frame in frames)), frames[0].sample_rate


def listen(path):
    """All samples, several channels as their mean, in single precision as `torchcodec` gives them."""
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1), rate


def use_network(params):
    """Gives Data-Juicer the networks of `make_pairs.py`, and its special tokens, which are options of a recipe there."""
    from data_juicer.utils.mm_utils import SpecialTokens

    SpecialTokens.image = params.get("image_special_token", "<__dj__image>")
    given = {key: value for key, value in params.items() if key != "image_special_token"}
    return {key: str(NETWORKS / value.removeprefix("models/")) if key in ("hf_clip", "hf_blip") else value for key, value in given.items()}


def do_without_torch():
    """Data-Juicer takes the hashes of `imagededup` and, with them, networks that need PyTorch; and `torchcodec` to decode audio."""
    import data_juicer.ops.filter.audio_duration_filter as durations
    from data_juicer.utils.lazy_loader import LazyLoader

    LazyLoader.check_packages = lambda *_: None
    durations.load_audio = hear
    for name, member in [("imagededup.methods.cnn", "CNN"), ("imagededup.utils.models", "CustomModel")]:
        sys.modules[name] = types.ModuleType(name)
        setattr(sys.modules[name], member, object)


def prepare_media(name):
    """What Data-Juicer's operator needs replaced."""
    if name == "audio_nmf_snr_filter":
        import data_juicer.ops.filter.audio_nmf_snr_filter as ratios
        from data_juicer.utils.lazy_loader import LazyLoader

        LazyLoader.check_packages = lambda *_: None
        ratios.load_audio = listen
    elif name not in MEDIA_FIXTURES:
        do_without_torch()


def over_media(op, rows):
    """The rows one by one: where Data-Juicer would stop, `x`; what is not compared, `?`."""
    kind = op._name.split("_")[0]
    apart = MEDIA_APART.get(op._name, set()) | (MEDIA_APART[kind] if op._name != "video_resolution_filter" else set())
    if kind == "video" and getattr(op, "video_backend", "") != "av":
        apart = set()
    names = [row.get(f"{kind}s") or [] for row in rows]
    is_apart = [bool(apart.intersection(paths)) for paths in names]
    marks, good, stats = [], [], []
    for row, skip in zip(rows, is_apart):
        if skip:
            marks.append("?")
            stats.append({})
            continue
        paths = {key: [str(HERE / path) if path else "" for path in row.get(key) or []] for key in ["images", "audios", "videos"]}
        try:
            if op._name == "image_deduplicator":
                good.append(op.compute_hash({"text": row["text"], **paths, "number": len(marks)}))
            else:
                batch = op.compute_stats_batched({"text": [row["text"]], **{key: [value] for key, value in paths.items()}, STATS: [{}]})
                numbers = {key: [float(v) for v in values] for key, values in batch[STATS][0].items()}
                if any(v != v for values in numbers.values() for v in values):
                    # Where Data-Juicer's answer is no number, djhost rejects the row.
                    stats.append({})
                    marks.append("?")
                    continue
                good.append(list(op.process_batched(batch))[0])
                stats.append(numbers)
            marks.append("=")
        except Exception:
            stats.append({})
            marks.append("x")
    if op._name == "image_deduplicator":
        kept = set(op.process(NestedDataset(Dataset.from_list(good)))[0]["number"])
        keep = [("1" if i in kept else "0") if mark == "=" else mark for i, mark in enumerate(marks)]
    else:
        good = iter(good)
        keep = [("1" if next(good) else "0") if mark == "=" else mark for mark in marks]
    golden = {"keep": "".join(keep)}
    keys = next((list(stat) for stat in stats if stat), [])
    return golden | ({"stats": {key: [stat.get(key) for stat in stats] for key in keys}} if keys else {})


def grouped(op, rows):
    rows = [{**row, "__dj__suffix__": SUFFIXES[i % len(SUFFIXES)], "number": i} for i, row in enumerate(rows)]
    # The rows as the table has them.
    rows = list(Dataset.from_list(rows))
    made = list(op.run(NestedDataset(Dataset.from_list(rows))))
    for group in made:
        members = [rows[number] for number in group["number"]]
        assert list(group) == list(rows[0]) and all(group[key] == [row[key] for row in members] for key in group)
    return {"groups": [group["number"] for group in made]}


def taken_apart(op, rows):
    rows = read(HERE / GROUPS)
    return {"fixture": GROUPS, "made": [made for row in rows for made in op.process([row])]}


def bits(flags):
    return "".join("1" if flag else "0" for flag in flags)


disable_progress_bars()
data = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "fixture.jsonl"
goldens = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "goldens"
rows = read(data)
goldens.mkdir(exist_ok=True)
for answer, operators in [(filtered, FILTERS), (mapped, MAPPERS), (noted, FIELD_MAPPERS), (expanded, EXPANDERS), (deduplicated, DEDUPLICATORS), (thinned, LINE_DEDUPLICATORS),
                          (selected, SELECTORS), (over_media, MEDIA), (grouped, GROUPERS), (taken_apart, REVERSE_GROUPERS)]:
    if answer in [selected, over_media, grouped, taken_apart] and data.resolve() != HERE / "fixture.jsonl":
        break  # Other data lacks the fields.
    for name, sets in operators.items():
        if sys.argv[3:] and name not in sys.argv[3:]:
            continue
        if answer is over_media:
            prepare_media(name)
        with open(goldens / f"{name}.jsonl", "w", encoding="utf-8") as out:
            shown = set()
            for params in sets:
                params = dict(params)
                fixture = params.pop("fixture", None)
                if fixture and len(sys.argv) > 1 and data.resolve() != HERE / "fixture.jsonl":
                    continue
                given = {key: str(HERE / WORDS) if value == WORDS else value for key, value in params.items()}
                if "model" in params:
                    (use_punkt if params["model"] == PUNKT else use_model)(HERE / params["model"])
                if {"tokenizer_model", "hf_tokenizer", "tokenizer"} & params.keys():
                    given = use_tokenizer(ALIASES.get(name, name), given)
                if {"hf_clip", "hf_blip"} & params.keys():
                    given = use_network(given)
                op = OPERATORS.modules[ALIASES.get(name, name)](**given)
                fixture = fixture or FIXTURES.get(name) or (MEDIA_FIXTURES.get(name, "media.jsonl") if answer is over_media else None)
                documents = read(HERE / fixture) if fixture else rows
                golden = {"op": name, "params": params, **({"fixture": fixture} if fixture else {}), **answer(op, documents)}
                # The stats depend on the parameters only where these say how to compute them: written once for each such case.
                case = (tuple(golden.get("stats") or ()), str([params.get(key) for key in STATS_PARAMS]))
                if case in shown:
                    golden.pop("stats", None)
                shown.add(case)
                out.write(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
        print(name, len(sets))
