"""How fast the Python packages are with the same files as `speed.rs`, in CPU time: MODEL TEXTS.jsonl."""

import json
import sys
import time
from collections.abc import Callable

BYTES = 20 << 20


def texts(path: str) -> list[str]:
    found: list[str] = []
    left = BYTES
    with open(path, encoding="utf-8") as rows:
        for row in rows:
            if left <= 0:
                break
            found.append(json.loads(row)["text"].replace("\n", " "))
            left -= len(found[-1].encode())
    return found


def opened(path: str) -> Callable[[str], float]:
    start = open(path, "rb").read(64)
    if start[:4] == (793712314).to_bytes(4, "little"):
        import fasttext

        predict = fasttext.load_model(path).f.predict
        return lambda text: sum(score for score, _ in predict(text + "\n", 1, 0.0, "strict"))
    if start.startswith((b"mmap lm", b"\\data\\")):
        import kenlm

        score: Callable[[str], float] = kenlm.Model(path).score
        return score
    if start.startswith(b"{"):
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(path)
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
    if start.startswith(b"\x08"):
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
        names = [given.name for given in session.get_inputs()]

        def run(text: str) -> float:
            ids = np.array([list(text.encode()[:256])], np.int64)
            given = {name: ids if name == "input_ids" else np.ones_like(ids) if name == "attention_mask" else np.zeros_like(ids) for name in names}
            return float(session.run(None, given)[0].size)

        return run
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=path)
    return lambda text: len(processor.encode(text))


work = opened(sys.argv[1])
rows = texts(sys.argv[2])
size = sum(len(text.encode()) for text in rows)
for _ in range(3):
    before = time.process_time()
    total = sum(work(text) for text in rows)
    seconds = time.process_time() - before
    print(f"{len(rows)} texts, {seconds:.2f} s, {size / seconds / 1e6:.2f} MB/s, sum {total}")
