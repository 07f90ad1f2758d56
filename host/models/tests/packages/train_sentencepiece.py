"""Trains models of all kinds on the texts of a JSONL file, and writes them and the pieces that sentencepiece gives, their
ids between start and end, and what these are decoded to, into a directory: FIXTURE DIRECTORY."""

import json
import os
import sys

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

fixture, directory = sys.argv[1:]
os.chdir(directory)
texts = [json.loads(line)["text"] for line in open(fixture, encoding="utf-8").read().split("\n") if line]
spm.SentencePieceTrainer.set_min_log_level(2) if hasattr(spm.SentencePieceTrainer, "set_min_log_level") else None
SYMBOLS = {"user_defined_symbols": ["<sep>", "the", "ther", "日本", "▁a", "x y"], "control_symbols": ["<ctl>", "of"]}
KINDS = {
    "plain": {},
    "bytes": {"byte_fallback": True, "normalization_rule_name": "identity"},
    "symbols": SYMBOLS,
    "spaces": {"remove_extra_whitespaces": False, "add_dummy_prefix": False, "allow_whitespace_only_pieces": True, **SYMBOLS},
    "suffix": {"treat_whitespace_as_suffix": True, "normalization_rule_name": "nfkc_cf", "split_by_whitespace": False},
    "across": {"split_by_whitespace": False, "split_by_unicode_script": False, "split_by_number": False, "normalization_rule_name": "nfkc"},
    "few": {"vocab_size": 1400, "normalization_rule_name": "nmt_nfkc_cf"},
}
texts += [
    "", " ", "  \n\t ", "▁", "▁▁x▁", "<sep><sep>the", "<ctl>of</s><s><unk><0x41>", "\0a\0\0b", "a\u0301e\u0308 ﬁ ㌔ ½ ①", "x y  x y",
    "\u200b\ufeff\u00ad\u3000\u00a0", "İ ß ẞ", "a" * 3000, "\u0301" * 50, "日本語" * 2000, "𝒳🎉👩‍👩‍👧‍👦" * 20, "ther the thethe<sep>ther",
    " ".join(texts) * 2, "".join(t.replace(" ", "") for t in texts if t.isascii()),
]
answers = {}


def keep(name):
    model = spm.SentencePieceProcessor(model_file=name)
    ids = [model.encode(text, add_bos=True, add_eos=True) for text in texts]
    answers[name] = [[model.encode_as_pieces(text), tokens, model.decode(tokens)] for text, tokens in zip(texts, ids)]


def change(name, new, edit):
    model = pb.ModelProto()
    model.ParseFromString(open(name, "rb").read())
    edit(model)
    open(new, "wb").write(model.SerializeToString())
    keep(new)


def take_away(model):
    for piece in model.pieces[300::3]:
        if piece.type == piece.NORMAL and len(piece.piece) > 1:
            piece.type = piece.UNUSED


def level(model):
    for i, piece in enumerate(model.pieces):
        piece.score = [-1.0, -1.0, -2.0, 0.5, -0.0][i % 5]


with open("texts.txt", "w", encoding="utf-8") as out:
    out.writelines(line[:2000] + "\n" for text in texts[:600] for line in text.split("\n") if "\0" not in line and len(set(line)) < 80)
for kind in ["unigram", "bpe", "word", "char"]:
    for name, options in KINDS.items():
        if kind in ["word", "char"] and name not in ["plain", "symbols", "bytes", "suffix"]:
            continue
        options = {"vocab_size": 2500, "character_coverage": 0.98, "hard_vocab_limit": False, "num_threads": 2, "minloglevel": 2, **options}
        spm.SentencePieceTrainer.train(input="texts.txt", model_prefix=f"{kind}-{name}", model_type=kind, max_sentence_length=100000, **options)
        keep(f"{kind}-{name}.model")
for kind in ["unigram", "bpe", "char"]:
    change(f"{kind}-symbols.model", f"{kind}-unused.model", take_away)
    change(f"{kind}-plain.model", f"{kind}-level.model", level)
json.dump({"texts": texts, "answers": answers}, open("answers.json", "w", encoding="utf-8"))
