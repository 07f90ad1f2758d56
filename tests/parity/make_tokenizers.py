"""Trains the tokenizers of models/ on the fixture: two of sentencepiece, two of Hugging Face.

    /tmp/data-juicer/bin/pip install sentencepiece==0.2.3 tokenizers==0.22.2
    /tmp/data-juicer/bin/python tests/parity/make_tokenizers.py
"""

import json
import os
import pathlib
import tempfile

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE / "models"

rows = [json.loads(line) for line in (HERE / "fixture.jsonl").read_text(encoding="utf-8").split("\n") if line]
# Texts with most characters of Unicode would fill the vocabulary with these.
lines = [line for row in rows for line in row["text"].split("\n") if "\0" not in line and len(set(line)) < 80]

RULES = {"ﬁ": "fi", "①": "1", "\u3000": " ", "…": "...", "e\u0301": "é", "a\u0308": "ä"} | {chr(0xFEE0 + c): chr(c) for c in range(0x21, 0x7F)}

with tempfile.TemporaryDirectory() as directory:
    # Models hold the names of the files that they were made of.
    os.chdir(directory)
    pathlib.Path("texts").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    rules = [" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n" for old, new in RULES.items()]
    pathlib.Path("rules").write_text("".join(rules))
    for kind, options in {
        "unigram": {"vocab_size": 1200, "normalization_rule_tsv": "rules", "user_defined_symbols": ["<sep>", "http"]},
        "bpe": {"vocab_size": 1500, "normalization_rule_name": "identity", "byte_fallback": True, "split_digits": True},
    }.items():
        options |= {"character_coverage": 0.98, "hard_vocab_limit": False, "num_threads": 1, "minloglevel": 2}
        sentencepiece.SentencePieceTrainer.train(input="texts", model_prefix=kind, model_type=kind, **options)
        (MODELS / f"{kind}.model").write_bytes(pathlib.Path(f"{kind}.model").read_bytes())

bpe = Tokenizer(models.BPE())
bpe.normalizer = normalizers.NFC()
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bpe.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
bpe.train_from_iterator(
    lines, trainers.BpeTrainer(vocab_size=800, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False)
)
wordpiece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
wordpiece.normalizer = normalizers.BertNormalizer()
wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
wordpiece.decoder = decoders.WordPiece()
wordpiece.train_from_iterator(
    lines, trainers.WordPieceTrainer(vocab_size=900, limit_alphabet=400, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False)
)
for name, tokenizer in {"bytelevel": bpe, "wordpiece": wordpiece}.items():
    (MODELS / name).mkdir(exist_ok=True)
    tokenizer.save(str(MODELS / name / "tokenizer.json"), pretty=False)
