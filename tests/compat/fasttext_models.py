"""fasttext_models.py FIXTURE DIR: trains small fastText models on the documents of FIXTURE, and writes what they predict.

DIR gets NAME.bin or NAME.ftz for each model, texts.jsonl, and predictions.json: for each model a list of label and score, a pair per text, as
Data-Juicer 1.6.1 asks for them.
"""

import json
import pathlib
import sys

import fasttext
import numpy

fixture, out = sys.argv[1], pathlib.Path(sys.argv[2])
rows = [json.loads(line) for line in open(fixture, encoding="utf-8")]
# Languages by their scripts: good enough to train on, and the same every time.
scripts = [("zh", 0x4E00, 0x9FFF), ("ja", 0x3040, 0x30FF), ("ko", 0xAC00, 0xD7AF), ("ru", 0x400, 0x4FF), ("ar", 0x600, 0x6FF), ("th", 0xE00, 0xE7F)]


def language(text):
    for name, low, high in scripts:
        if sum(low <= ord(c) <= high for c in text) * 5 > len(text):
            return name
    return "de" if any(c in "äöüß" for c in text) else "en"


texts = [row["text"] for row in rows]
train = out / "train.txt"
train.write_text("".join(f"__label__{language(t)} {' '.join(t.lower().split())[:400]}\n" for t in texts if t.strip()), encoding="utf-8")
common = dict(input=str(train), dim=16, epoch=8, lr=0.5, thread=1, verbose=0, minCount=1)
models = {
    "softmax.bin": dict(loss="softmax", minn=2, maxn=4, bucket=20000),
    "hierarchical.bin": dict(loss="hs", minn=2, maxn=4, bucket=20000, wordNgrams=2),
    "negative.bin": dict(loss="ns", minn=0, maxn=0, wordNgrams=3, bucket=5000),
    "one-vs-all.bin": dict(loss="ova", minn=3, maxn=6, bucket=20000),
    "quantised.ftz": dict(loss="hs", minn=2, maxn=4, bucket=20000),
    "quantised-output.ftz": dict(loss="softmax", minn=2, maxn=4, bucket=20000),
}
predictions = {}
for name, params in models.items():
    model = fasttext.train_supervised(**common, **params)
    if name == "quantised.ftz":
        model.quantize(input=str(train), cutoff=3000, retrain=True, qnorm=True)
    elif name.endswith(".ftz"):
        model.quantize()
    model.save_model(str(out / name))
    # As it is read again: quantising leaves the model in memory with more than the file has.
    model = fasttext.load_model(str(out / name))
    found = []
    for text in texts:
        # The package's own wrapper does not get along with every version of numpy.
        pairs = model.f.predict(text.lower().replace("\n", " ") + "\n", 1, 0.0, "strict")
        found.append([pairs[0][1].replace("__label__", ""), float(numpy.float64(pairs[0][0]))] if pairs else ["", 0.0])
    predictions[name] = found
(out / "predictions.json").write_text(json.dumps(predictions))
with open(out / "texts.jsonl", "w", encoding="utf-8") as file:
    for n, text in enumerate(texts):
        file.write(json.dumps({"n": n, "text": text}, ensure_ascii=False) + "\n")
