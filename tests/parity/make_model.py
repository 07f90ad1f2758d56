"""Trains models/lang.ftz on the fixture: it tells the script of a text's first letter. Needs the package `fasttext-wheel`.

    /tmp/fasttext/bin/python tests/parity/make_model.py
"""

import json
import pathlib
import tempfile
import unicodedata

import fasttext

HERE = pathlib.Path(__file__).resolve().parent


def label(text):
    letter = next((c for c in text if c.isalpha()), None)
    return unicodedata.name(letter, "OTHER").split()[0] if letter else "NONE"


rows = [json.loads(line) for line in (HERE / "fixture.jsonl").read_text(encoding="utf-8").split("\n") if line]
with tempfile.TemporaryDirectory() as directory:
    train = pathlib.Path(directory) / "train.txt"
    lines = [row["text"].lower().replace("\n", " ").replace("__label__", " ") for row in rows]
    train.write_text("".join(f"__label__{label(line)} {line}\n" for line in lines), encoding="utf-8")
    model = fasttext.train_supervised(str(train), dim=8, minn=2, maxn=3, wordNgrams=2, bucket=2000, epoch=10, thread=1, verbose=0)
    model.quantize(str(train), cutoff=600, qnorm=True, retrain=False, dsub=2)
    model.save_model(str(HERE / "models" / "lang.ftz"))
