"""Trains models of all kinds on the texts of a JSONL file, and writes them and what fastText predicts into a directory: FIXTURE DIRECTORY LID, with
a real model."""

import itertools
import json
import os
import shutil
import sys
import unicodedata

import fasttext


def script(text):
    letter = next((c for c in text if c.isalpha()), None)
    return unicodedata.name(letter, "OTHER").split()[0] if letter else "NONE"


fixture, directory, lid = sys.argv[1:]
os.chdir(directory)
texts = [json.loads(line)["text"].lower().replace("\n", " ") for line in open(fixture, encoding="utf-8").read().split("\n") if line]
labels = {"few": [script(text) for text in texts], "many": [str(i % 300) for i in range(len(texts))]}
for name, names in labels.items():
    with open(name, "w", encoding="utf-8") as out:
        out.writelines(f"__label__{label} {text}\n" for label, text in zip(names, texts))
texts += [text[:40] for text in texts] + ["", "</s> x", "__label__LATIN y", "\0 a"]
answers = {}


def keep(model, name):
    model.save_model(name)
    ask(model, name)


def ask(model, name):
    found = [model.f.predict(text + "\n", 3, 0.0, "strict") for text in texts]
    answers[name] = [[[label.replace("__label__", ""), score] for score, label in best] for best in found]


for loss, name, grams in itertools.product(["softmax", "hs", "ns", "ova"], labels, [(0, 0, 1), (2, 4, 2)]):
    minn, maxn, words = grams
    sizes = {"dim": 13, "bucket": 3000, "epoch": 4, "thread": 1, "verbose": 0}
    model = fasttext.train_supervised(name, loss=loss, minn=minn, maxn=maxn, wordNgrams=words, **sizes)
    keep(model, f"{loss}-{name}-{maxn}.bin")
    # The output matrix can be quantised with 256 labels and more, which fastText does not offer for the tree.
    whole = name == "many" and loss != "hs"
    model.quantize(name, qnorm=maxn > 0, qout=whole, cutoff=800 if maxn else 0, retrain=False, dsub=2)
    keep(model, f"{loss}-{name}-{maxn}.ftz")
shutil.copy(lid, "lid.176.ftz")
ask(fasttext.load_model("lid.176.ftz"), "lid.176.ftz")
json.dump({"texts": texts, "answers": answers}, open("answers.json", "w", encoding="utf-8"))
