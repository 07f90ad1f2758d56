"""Recall and precision of the deduplicators on planted duplicates, djhost's beside Data-Juicer 1.6.1's on the same rows.

    cargo build --release
    python3.11 -m venv /tmp/data-juicer
    /tmp/data-juicer/bin/pip install py-data-juicer==1.6.1 aiohttp simhash-pybind
    /tmp/data-juicer/bin/python tests/parity/dedup_quality.py --texts FILE.jsonl --write plugins/DEDUP.md

FILE.jsonl has real documents, a `text` in each line; without it the words are made up. Planted are exact copies, and near copies at every
distance: words left out, put in, in capitals. The truth of a copy is the Jaccard similarity of its 5-word shingles with its original, which is the
set that minhash estimates. A copy counts as found when it is dropped or its original is, by whichever of the two comes later; a document
that was not planted and is dropped counts against precision unless it shares shingles with another one.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUCKETS = [(0.0, 0.3), (0.3, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0), (1.0, 1.01)]
OPS = [
    ("document_deduplicator", {}, {}),
    ("document_minhash_deduplicator", {}, {}),
    # djhost only: other hash functions, faster. `plugins/DEDUP.md` has them in a table of its own, of other texts.
    ("document_minhash_deduplicator", {"fast_hash": True}, None),
    ("document_minhash_deduplicator", {"jaccard_threshold": 0.5}, {"jaccard_threshold": 0.5}),
    ("document_simhash_deduplicator", {}, {}),
]


def made_up(count, r):
    words = ["".join(r.choice("etaoinshrdlucmfwypvbgkjqxz") for _ in range(r.randint(2, 9))) for _ in range(20000)]
    return [" ".join(words[int(len(words) * r.random() ** 3)] for _ in range(r.randint(60, 900))) for _ in range(count)]


def shingles(text):
    # As minhash cuts them: words between spaces, in lower case, five at a time.
    words = text.lower().split(" ")
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def near(text, share, r):
    words = re.split(r"(\s+)", text)
    for _ in range(max(1, int(len(words) * share))):
        i, kind = r.randrange(len(words)), r.random()
        if kind < 0.4:
            words[i] = ""
        elif kind < 0.7:
            words.insert(i, r.choice(words) + " ")
        else:
            words[i] = words[i][::-1]
    return "".join(words)


def plant(texts, r):
    """Rows in a random order, and for each planted copy (its row, its original's row, the similarity)."""
    rows = [(text, None) for text in texts]
    for original, text in enumerate(texts[: len(texts) // 4]):
        share = 0 if original % 10 == 0 else r.choice([0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15])
        rows.append((near(text, share, r) if share else text, original))
    order = list(range(len(rows)))
    r.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    truth = []
    for old, (text, original) in enumerate(rows):
        if original is not None:
            a, b = shingles(rows[original][0]), shingles(text)
            truth.append((place[old], place[original], len(a & b) / len(a | b)))
    return [rows[old][0] for old in order], truth


def djhost(rows, name, params, dir):
    (dir / "in.jsonl").write_text("".join(json.dumps({"text": text, "n": n}) + "\n" for n, text in enumerate(rows)))
    recipe = {"dataset_path": "in.jsonl", "export_path": "out.jsonl", "work_dir": "work", "process": [{name: params}]}
    (dir / "recipe.yaml").write_text(json.dumps(recipe))
    subprocess.run([ROOT / "target/release/djhost", "run", "recipe.yaml", "--quiet", "--fresh", "--job_id", "job"], cwd=dir, check=True, stderr=subprocess.DEVNULL)
    return {json.loads(line)["n"] for line in (dir / "out.jsonl").open()}


def data_juicer(rows, name, params):
    from data_juicer.core.data import NestedDataset
    from data_juicer.ops import OPERATORS
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    op = OPERATORS.modules[name](**params)
    dataset = NestedDataset(Dataset.from_list([op.compute_hash({"text": text, "n": n}) for n, text in enumerate(rows)]))
    return set(op.process(dataset)[0]["n"])


def judge(kept, rows, truth, twins):
    """Found of all copies per bucket, and the dropped documents that have no equal."""
    found, all_ = collections.Counter(), collections.Counter()
    planted = set()
    for copy, original, similarity in truth:
        bucket = next(b for b in BUCKETS if b[0] <= similarity < b[1])
        all_[bucket] += 1
        later = max(copy, original)
        found[bucket] += later not in kept
        planted |= {copy, original}
    dropped = [n for n in range(len(rows)) if n not in kept]
    wrong = [n for n in dropped if n not in planted and n not in twins]
    return found, all_, len(dropped), len(wrong)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--texts")
    args.add_argument("--count", type=int, default=4000)
    args.add_argument("--write")
    args = args.parse_args()
    r = random.Random(20261124)
    if args.texts:
        texts = [json.loads(line)["text"] for line in open(args.texts, encoding="utf-8")]
        texts = [text for text in texts if 300 <= len(text) <= 20000 and len(text.split(" ")) > 40]
        r.shuffle(texts)
        texts = texts[: args.count]
    else:
        texts = made_up(args.count, r)
    rows, truth = plant(texts, r)
    # Documents of real data that are near copies of each other without our doing.
    seen, twins = {}, set()
    for n, row in enumerate(rows):
        for shingle in sorted(shingles(row), key=lambda shingle: zlib.crc32(shingle.encode()))[:40]:
            if seen.setdefault(shingle, n) != n:
                twins |= {n, seen[shingle]}
    lines = [
        "# Quality of the deduplicators",
        "",
        f"Written by `tests/parity/dedup_quality.py`: {len(rows)} documents, of which {len(truth)} are planted copies of others"
        f" ({'real texts' if args.texts else 'made-up texts'}).",
        "Recall is the share of the copies that were found, by the Jaccard similarity of copy and original (shingles of five words). Precision is the",
        "share of the dropped documents that share shingles with another one.",
        "",
        "| operator | by | " + " | ".join("1" if low == 1.0 else f"{low:.1f} to {min(high, 1):.1f}" for low, high in BUCKETS) + " | dropped | precision |",
        "|---|---|" + "---:|" * (len(BUCKETS) + 2),
    ]
    with tempfile.TemporaryDirectory() as dir:
        for name, ours, theirs in OPS:
            results = [("djhost", djhost(rows, name, ours, pathlib.Path(dir)))]
            if theirs is not None:
                results.append(("Data-Juicer", data_juicer(rows, name, theirs)))
            for who, kept in results:
                found, all_, dropped, wrong = judge(kept, rows, truth, twins)
                recall = [f"{found[b] / all_[b]:.1%}" if all_[b] else "" for b in BUCKETS]
                shown = f"`{name}`" + "".join(f", `{k}: {json.dumps(v)}`" for k, v in ours.items())
                lines.append(f"| {shown} | {who} | " + " | ".join(recall) + f" | {dropped} | {1 - wrong / max(1, dropped):.1%} |")
                print(lines[-1], flush=True)
    _, all_, _, _ = judge(set(range(len(rows))), rows, truth, twins)
    lines.insert(8, "| copies | | " + " | ".join(str(all_[b]) for b in BUCKETS) + " | | |")
    text = "\n".join(lines) + "\n"
    if args.write:
        pathlib.Path(args.write).write_text(text)
    print(text)


main()
