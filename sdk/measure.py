#!/usr/bin/env python3
"""Measures the example filter of each language and prints a Markdown table. Needs only Python and a built djhost.

    cargo test --release --test languages    # builds the examples
    python3 sdk/measure.py [--data FILE.jsonl] [COMPONENT.wasm…]

Without components it takes those that the tests built. All times are CPU times, so a busy machine matters less. Of several rounds the best
counts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
DATA_MB = 16


def djhost(program, directory, cache, arguments):
    """Runs djhost; gives its CPU seconds, compilation and all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"DJHOST_CACHE_DIR": str(cache)}
    done = subprocess.run([program, *arguments], cwd=directory, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, arguments))}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def filter_of(program, directory, cache, plugins):
    """The name of the example filter among the operators of a plugin directory."""
    _, listing = djhost(program, directory, cache, ["ops", "list", "alnum_filter", "--plugins", plugins])
    names = [word for line in listing.splitlines() for word in line.split()[:1] if word.endswith("_alnum_filter")]
    return names[0] if names else None


def run(program, directory, cache, job, data, process):
    """Runs a recipe with one worker; gives CPU seconds and the summary of the first operator."""
    recipe = {"dataset_path": str(data), "export_path": f"{job}.jsonl", "partition": {"mode": "manual", "num_of_partitions": 1}}
    recipe |= {"checkpoint": {"enabled": False}, "process": process}
    (directory / "recipe.yaml").write_text(json.dumps(recipe))
    arguments = ["run", "recipe.yaml", "--quiet", "--fresh", "--np", "1", "--plugins", "plugins", "--work_dir", "work", "--job_id", job]
    seconds, _ = djhost(program, directory, cache, arguments)
    return seconds, json.loads((directory / f"work/{job}/job_summary.json").read_text())["ops"][0]


def measure(program, component, data, tiny):
    """A row of the table, None if the component has no such filter."""
    with tempfile.TemporaryDirectory() as temporary:
        directory, cache = Path(temporary), Path(temporary) / "cache"
        (directory / "plugins").mkdir()
        (directory / "plugins/ops.wasm").write_bytes(component.read_bytes())
        first, _ = djhost(program, directory, cache, ["ops", "list", "--plugins", "plugins"])
        name = filter_of(program, directory, cache, "plugins")
        if name is None:
            return None
        again = min(djhost(program, directory, cache, ["ops", "list", "--plugins", "plugins"])[0] for _ in range(ROUNDS))
        process = [{name: {"min_ratio": 0.0}}]
        start = min(run(program, directory, cache, "tiny", tiny, process)[0] for _ in range(ROUNDS))
        ops = [run(program, directory, cache, "large", data, process)[1] for _ in range(ROUNDS)]
        best = max(ops, key=lambda op: op["mb_per_cpu_second"])
        return {
            "language": name.removesuffix("_alnum_filter"),
            "size": component.stat().st_size / 1e6,
            "compile": first - again,
            "start": start * 1000,
            "speed": best["mb_per_cpu_second"],
            "per_row": best["cpu_seconds"] / best["rows_in"] * 1e6,
            "memory": best["peak_memory"] / 1e6,
        }


def some_data(path, given):
    """The first megabytes of the given file, over and over if it is smaller; made-up texts without one."""
    if given:
        lines = given.read_bytes().splitlines(keepends=True)
    else:
        words = "the quick brown fox jumps over 13 lazy dogs, and then rests; äöü 日本語".split()
        texts = [" ".join(words[(i * j) % len(words)] for j in range(1, 700)) for i in range(1, 50)]
        lines = [json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n" for text in texts]
    size = 0
    with path.open("wb") as out:
        while size < DATA_MB << 20:
            for line in lines:
                size += out.write(line)
                if size >= DATA_MB << 20:
                    break


def main():
    parser = argparse.ArgumentParser(description="Measures the example filter of each language.")
    parser.add_argument("components", nargs="*", type=Path)
    parser.add_argument("--data", type=Path, help="JSONL with `text`")
    parser.add_argument("--djhost", type=Path, default=ROOT / "target/release/djhost")
    args = parser.parse_args()
    components = args.components or sorted((ROOT / "target/tmp/languages").glob("*/*.wasm"))
    if not args.djhost.is_file():
        sys.exit(f"error: {args.djhost} is not there; run `cargo build --release`, or name the program with --djhost")
    if not components:
        sys.exit("error: no components; run `cargo test --release --test languages` first, or name some")
    with tempfile.TemporaryDirectory() as temporary:
        data, tiny = Path(temporary) / "data.jsonl", Path(temporary) / "tiny.jsonl"
        some_data(data, args.data)
        tiny.write_text('{"text": "one row"}\n')
        rows = [row for component in components if (row := measure(args.djhost.resolve(), component.resolve(), data, tiny))]
    print("| language | component MB | compile CPU s | one-row job CPU ms | MB per CPU s | µs per row | memory MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in sorted(rows, key=lambda row: -row["speed"]):
        numbers = f"{row['size']:.2f} | {row['compile']:.1f} | {row['start']:.0f} | {row['speed']:.0f} | {row['per_row']:.1f} | {row['memory']:.1f}"
        print(f"| {row['language']} | {numbers} |")


if __name__ == "__main__":
    main()
