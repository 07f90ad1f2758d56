"""Trains Hugging Face tokenizers of all kinds on the texts of a JSONL file, and writes them, their tokens, those with special ones, their
pieces, and what a part of these stands for into a directory: FIXTURE DIRECTORY."""

import json
import os
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

fixture, directory = sys.argv[1:]
os.chdir(directory)
texts = [json.loads(line)["text"] for line in open(fixture, encoding="utf-8").read().split("\n") if line]
lines = [line for text in texts for line in text.split("\n") if len(set(line)) < 80]
texts += ["", " ", "a" * 3000, " " * 3000 + "x", "\n \n\t\n", "<s>x</s><|end|> y", "İ ß ﬁ ①", "\0a", "don't we'll I'M", "12345 6 ٣٤ ½", "👩‍👩‍👧", "e\u0301\u0302"]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTES = pre_tokenizers.ByteLevel.alphabet()
SPECIAL = ["<unk>", "<s>", "</s>"]
answers = {}


def keep(name, model, trainer, **parts):
    tokenizer = Tokenizer(model)
    for part, value in parts.items():
        setattr(tokenizer, part, value)
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.add_special_tokens([AddedToken("<|end|>", lstrip=True)])
    tokenizer.enable_truncation(100)
    tokenizer.enable_padding(length=50)
    tokenizer.save(name)
    # Numbers that are read from JSON differ in their last digit from those that were written.
    tokenizer = Tokenizer.from_file(name)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    around = [tokenizer.encode(text).ids for text in texts]
    pieces = [tokenizer.encode(text, add_special_tokens=False).tokens for text in texts]
    decoded = [tokenizer.decode(ids[: len(ids) // 2], skip_special_tokens=False) for ids in found]
    answers[name] = list(zip(found, around, pieces, decoded))


def bpe(**options):
    return trainers.BpeTrainer(vocab_size=1500, special_tokens=SPECIAL, show_progress=False, limit_alphabet=500, **options)


sequence = pre_tokenizers.Sequence
around = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
byte_level, metaspace = decoders.ByteLevel(), pre_tokenizers.Metaspace()
keep("gpt2", models.BPE(), bpe(initial_alphabet=BYTES), pre_tokenizer=pre_tokenizers.ByteLevel(), decoder=byte_level, post_processor=around)
keep("neox", models.BPE(), bpe(initial_alphabet=BYTES), normalizer=normalizers.NFC(), pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False), decoder=byte_level)
split = sequence([pre_tokenizers.Split(Regex(GPT4), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
keep("gpt4", models.BPE(ignore_merges=True), bpe(initial_alphabet=BYTES), pre_tokenizer=split, decoder=byte_level)
digits = sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation(), pre_tokenizers.ByteLevel(add_prefix_space=False)])
keep("digits", models.BPE(), bpe(initial_alphabet=BYTES), pre_tokenizer=digits, decoder=byte_level)
llama = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
undo = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
keep("llama", models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), bpe(), normalizer=llama, pre_tokenizer=metaspace, decoder=undo)
pieces = trainers.WordPieceTrainer(vocab_size=1500, special_tokens=SPECIAL, show_progress=False, limit_alphabet=500)
bert = {"normalizer": normalizers.BertNormalizer(), "pre_tokenizer": pre_tokenizers.BertPreTokenizer(), "decoder": decoders.WordPiece(), "post_processor": around}
keep("bert", models.WordPiece(unk_token="<unk>"), pieces, **bert)
unigram = trainers.UnigramTrainer(vocab_size=4000, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
t5 = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
keep("t5", models.Unigram(), unigram, normalizer=t5, pre_tokenizer=metaspace, decoder=decoders.Metaspace())
plain = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Strip()])
words = trainers.WordLevelTrainer(vocab_size=2000, special_tokens=SPECIAL, show_progress=False)
keep("words", models.WordLevel(unk_token="<unk>"), words, normalizer=plain, pre_tokenizer=pre_tokenizers.Whitespace())
scripts = sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.CharDelimiterSplit("-")])
keep("scripts", models.WordLevel(unk_token="<unk>"), words, pre_tokenizer=scripts)
json.dump({"texts": texts, "answers": answers}, open("answers.json", "w", encoding="utf-8"))
