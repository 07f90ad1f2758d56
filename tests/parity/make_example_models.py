"""Makes the small models of the examples: `en.sp.model`, `en.arpa.bin` (an ARPA file) and `quality.bin`.

    python tests/parity/make_example_models.py      # needs sentencepiece==0.2.3 and fasttext-wheel==0.9.2
"""

import io
import math
import pathlib
from collections import Counter

import sentencepiece

FILES = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "examples" / "files"
GOOD = ["we go for a walk in the park", "the weather is nice today", "it is nice to walk in the sun", "today we go to the park", "the sun is in the park"]

model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(GOOD * 4), model_writer=model, vocab_size=30, model_type="unigram", normalization_rule_name="identity", minloglevel=2)
(FILES / "en.sp.model").write_bytes(model.getvalue())

pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
singles: Counter[str] = Counter()
pairs: Counter[tuple[str, str]] = Counter()
for sentence in GOOD:
    words = ["<s>", *pieces.encode_as_pieces(sentence), "</s>"]
    singles.update(words[1:])
    pairs.update(zip(words, words[1:]))
contexts: Counter[str] = Counter()
for (first, _), count in pairs.items():
    contexts[first] += count
total = sum(singles.values()) + 1
lines = ["\\data\\", f"ngram 1={len(singles) + 2}", f"ngram 2={len(pairs)}", "", "\\1-grams:"]
lines += [f"{math.log10(0.5 / total):.4f}\t<unk>\t0", "-99\t<s>\t-0.5"]
lines += [f"{math.log10((count - 0.25) / total):.4f}\t{word}\t-0.5" for word, count in sorted(singles.items())]
lines += ["", "\\2-grams:"]
lines += [f"{math.log10((count - 0.25) / contexts[pair[0]]):.4f}\t{' '.join(pair)}" for pair, count in sorted(pairs.items())]
(FILES / "en.arpa.bin").write_text("\n".join([*lines, "", "\\end\\", ""]), "utf-8")
