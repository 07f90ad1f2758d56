#!/usr/bin/env python3
"""How much more memory do many workers take that share a large model?

    python3 host/benches/model_memory.py [--djhost PROGRAM] [--gb 1] [--workers 1,8] [--dir DIR]

Makes a classifier of fastText of so many gigabytes (numbers without meaning) and texts of made-up words, so that their n-grams touch every page of
it; then runs `fasttext_classifier_filter` over the texts with each number of workers and prints the peak memory of the process: resident, that is
with the pages of the model, and without those of files, read from `/proc` fifty times a second. Needs only Python and a built djhost.
"""

import argparse
import array
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DIM = 100
ROOT = Path(__file__).resolve().parents[2]


def write_model(path, size):
    """A supervised model, as `fasttext` writes it: two labels, n-grams of 3 and 4 letters, pairs of words."""
    rows = size // (4 * DIM)
    entries = [("</s>", 10, 0), ("__label__cc", 5, 1), ("__label__hq", 5, 1)]
    buckets = rows - 1
    # dim, ws, epoch, minCount, neg, wordNgrams, loss (softmax), model (supervised), bucket, minn, maxn, lrUpdateRate, t
    arguments = struct.pack("<12id", DIM, 5, 5, 1, 5, 2, 3, 3, buckets, 3, 4, 100, 1e-4)
    dictionary = struct.pack("<3iqq", len(entries), 1, 2, 100, -1)
    dictionary += b"".join(word.encode() + b"\0" + struct.pack("<qb", count, kind) for word, count, kind in entries)
    numbers = random.Random(1)
    block = array.array("f", (numbers.uniform(-0.01, 0.01) for _ in range(DIM * 4096))).tobytes()
    with path.open("wb") as out:
        out.write(struct.pack("<2i", 793712314, 12) + arguments + dictionary + b"\0" + struct.pack("<2q", rows, DIM))
        left = rows * DIM * 4
        while left > 0:
            out.write(block[:left])
            left -= len(block)
        out.write(b"\0" + struct.pack("<2q", 2, DIM) + block[: 2 * DIM * 4])
    return path.stat().st_size


def write_texts(path, rows, words):
    """Texts of made-up words."""
    letters, made = "abcdefghijklmnopqrstuvwxyz", random.Random(2)
    with path.open("w") as out:
        for _ in range(rows):
            text = " ".join("".join(made.choices(letters, k=made.randint(3, 9))) for _ in range(words))
            out.write(json.dumps({"text": text}) + "\n")


def memory(pid):
    """Resident memory of a process in MB: all of it, and without pages of files. None when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = {line.split(":")[0]: int(line.split()[1]) / 1e3 for line in lines if line.startswith(("VmRSS:", "RssAnon:"))}
    return (found["VmRSS"], found["RssAnon"]) if len(found) == 2 else None


def write_recipe(directory, workers):
    """The recipe for a run with so many workers."""
    recipe = {"dataset_path": "texts.jsonl", "export_path": f"out-{workers}.jsonl", "checkpoint": {"enabled": False}}
    recipe |= {"partition": {"mode": "manual", "num_of_partitions": 16}, "process": [{"fasttext_classifier_filter": {"model": "large.bin"}}]}
    (directory / "recipe.yaml").write_text(json.dumps(recipe))


def run(program, directory, workers):
    """The peaks of a run, and the seconds that it took."""
    write_recipe(directory, workers)
    command = [program, "run", "recipe.yaml", "--fresh", "--quiet", "--np", str(workers), "--work_dir", f"work-{workers}"]
    start = time.monotonic()
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
        peaks = (0.0, 0.0)
        while process.poll() is None:
            peaks = tuple(map(max, peaks, memory(process.pid) or peaks))
            time.sleep(0.02)
    if process.returncode != 0:
        sys.exit((directory / "log").read_text())
    return peaks, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--djhost", default=str(ROOT / "target/release/djhost"), help="the program")
    parser.add_argument("--gb", type=float, default=1.0, help="size of the model")
    parser.add_argument("--workers", default="1,8", help="numbers of workers")
    parser.add_argument("--rows", type=int, default=8000, help="number of texts, of 400 words each")
    parser.add_argument("--dir", type=Path, help="where the model is made [default: the system's directory for temporary files]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as temporary:
        directory = Path(temporary)
        size = write_model(directory / "large.bin", int(given.gb * 1e9))
        write_texts(directory / "texts.jsonl", given.rows, 400)
        print(f"model {size / 1e6:,.0f} MB, texts {(directory / 'texts.jsonl').stat().st_size / 1e6:,.0f} MB\n")
        print("| workers | peak memory MB | without pages of files MB | over the first | seconds |\n|---:|---:|---:|---:|---:|")
        # Compiles the operator.
        write_recipe(directory, 1)
        subprocess.run([str(Path(given.djhost).resolve()), "plan", "recipe.yaml"], cwd=directory, stdout=subprocess.DEVNULL, check=True)
        first = None
        for workers in map(int, given.workers.split(",")):
            (resident, own), seconds = run(str(Path(given.djhost).resolve()), directory, workers)
            first = first or resident
            print(f"| {workers} | {resident:,.0f} | {own:,.0f} | {100 * (resident / first - 1):+.1f} % | {seconds:.1f} |")


if __name__ == "__main__":
    main()
