"""Estimates a language model of the texts of a JSONL file, makes KenLM's binaries of it, and writes them and what KenLM says into a
directory: FIXTURE DIRECTORY BUILD_BINARY [TEXTS]. Words are what lies between spaces."""

import collections
import json
import math
import os
import subprocess
import sys

import kenlm

ORDER = 4
# Kept for n-grams that were not seen.
DISCOUNT = 0.7


def sentences(texts):
    for text in texts:
        for line in text.split("\n"):
            if words := line.split():
                yield ["<s>", *words, "</s>"]


def estimate(texts, order, out):
    """Absolute discounting with backing off, on counts: no good estimate, but one that adds up to 1."""
    counts = [collections.Counter() for _ in range(order)]
    for words in sentences(texts):
        for n in range(order):
            for i in range(len(words) - n):
                counts[n][tuple(words[i : i + n + 1])] += 1
    # Rare ones are left out, so that words are unknown and shorter n-grams count.
    for n in range(order):
        least = 2 if n != 1 else 1
        counts[n] = {gram: count for gram, count in counts[n].items() if count >= least or gram in {("<s>",), ("</s>",)}}
        if n:
            counts[n] = {gram: count for gram, count in counts[n].items() if gram[:-1] in counts[n - 1] and gram[1:] in counts[n - 1]}
    total = sum(count for (word,), count in counts[0].items() if word != "<s>")
    kept = DISCOUNT * len(counts[0]) / total
    chances = [{("<unk>",): kept}]
    for gram, count in counts[0].items():
        chances[0][gram] = 0.0 if gram == ("<s>",) else (count - DISCOUNT) / total
    backoffs = []
    for n in range(1, order):
        after = collections.defaultdict(list)
        for gram in counts[n]:
            after[gram[:-1]].append(gram)
        found, weights = {}, {}
        for context, grams in after.items():
            whole = sum(counts[n][gram] for gram in grams) / 0.9
            left = 1.0
            for gram in grams:
                found[gram] = (counts[n][gram] - DISCOUNT) / whole
                left -= found[gram]
            weights[context] = left / max(1e-9, 1.0 - sum(chances[n - 1][gram[1:]] for gram in grams))
        chances.append(found)
        backoffs.append(weights)
    backoffs.append({})
    with open(out, "w", encoding="utf-8") as arpa:
        arpa.write("\\data\\\n")
        arpa.writelines(f"ngram {n + 1}={len(chances[n])}\n" for n in range(order))
        for n in range(order):
            arpa.write(f"\n\\{n + 1}-grams:\n")
            for gram, chance in chances[n].items():
                value = math.log10(chance) if chance > 0 else -99
                line = f"{value:.6g}\t{' '.join(gram)}"
                if weight := backoffs[n].get(gram):
                    line += f"\t{math.log10(weight):.6g}"
                arpa.write(line + "\n")
        arpa.write("\n\\end\\\n")


def pruned(arpa, out):
    """As SRILM leaves them: without some n-grams that longer ones end with."""
    lines = open(arpa, encoding="utf-8").read().split("\n")
    section, grams, contexts = 0, {}, set()
    for line in lines:
        if line.endswith("-grams:"):
            section = int(line[1])
        elif section > 1 and "\t" in line:
            grams[tuple(line.split("\t")[1].split(" "))] = (section, line)
            contexts.add(tuple(line.split("\t")[1].split(" "))[:-1])
    gone = {gram for i, gram in enumerate(grams) if len(gram) in (2, 3) and gram not in contexts and i % 3 == 0}
    rest = [[line for gram, (n, line) in grams.items() if n == section and gram not in gone] for section in range(ORDER + 1)]
    with open(out, "w", encoding="utf-8") as file:
        for line in lines[: lines.index("\\2-grams:")]:
            n = int(line[6]) if line.startswith("ngram ") else 0
            file.write(f"ngram {n}={len(rest[n])}\n" if n > 1 else line + "\n")
        for n in range(2, ORDER + 1):
            file.write(f"\\{n}-grams:\n" + "".join(line + "\n" for line in rest[n]) + "\n")
        file.write("\\end\\\n")


fixture, directory, build_binary, *more = sys.argv[1:]
texts = [json.loads(line)["text"] for line in open(fixture, encoding="utf-8").read().split("\n") if line]
os.chdir(directory)
estimate(texts[::2], ORDER, "whole.arpa")
estimate(texts[::2], 2, "bigrams.arpa")
pruned("whole.arpa", "pruned.arpa")
kinds = {
    "probing": ["probing"],
    "sparse": ["-p", "3", "probing"],
    "trie": ["trie"],
    "quantised": ["-q", "8", "-b", "7", "trie"],
    "pointers": ["-a", "22", "trie"],
    "few-pointers": ["-a", "3", "trie"],
    "both": ["-q", "5", "-b", "6", "-a", "22", "trie"],
}
names = ["whole.arpa", "bigrams.arpa", "pruned.arpa"]
for arpa in list(names):
    for kind, options in kinds.items():
        name = f"{arpa[:-5]}.{kind}"
        subprocess.run([build_binary, "-s", *options, arpa, name], check=True, capture_output=True)
        names.append(name)
# With rest costs, which do not change scores.
lower = [f"lower{n}.arpa" for n in range(1, ORDER)]
for n, arpa in enumerate(lower, 1):
    estimate(texts[::2], n, arpa)
subprocess.run([build_binary, "-s", "-r", " ".join(lower), "probing", "whole.arpa", "whole.rest"], check=True, capture_output=True)
names.append("whole.rest")
asked = [text.replace("\0", "") for text in texts] + ["", " ", "<s> a </s>", "<unk> <UNK> x\x0by\x1cz", "a\u00a0b\u3000c"]
asked += [json.loads(line)["text"].replace("\0", "") for path in more for line in open(path, encoding="utf-8").read().split("\n")[:2000] if line]
json.dump(asked, open("texts.json", "w", encoding="utf-8"))
answers = {}
for name in names:
    model = kenlm.Model(name)
    answers[name] = [[model.score(text, bos=bos, eos=eos) for bos, eos in ((True, True), (False, True), (True, False))] for text in asked]
json.dump(answers, open("answers.json", "w", encoding="utf-8"))
