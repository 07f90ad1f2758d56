#!/usr/bin/env python3
"""Compares djhost with other engines on one file of JSONL: see README.md beside it.

    python3 host/benches/peers/compare.py DATA.jsonl [--djhost PATH] [--rows NAME,…] [--rounds N]

This file is also what runs a peer: `compare.py --peer NAME ROW INPUT OUTPUT THREADS`.
"""

import argparse
import gzip
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIN_CHARS = 100

# Of each row: what it reads, what it writes, what it does, and whether wall time counts, with two
# workers.
ROWS = {
    "jsonl": ("jsonl", "jsonl", "filter", False),
    "parquet": ("parquet", "parquet", "filter", False),
    "to_parquet": ("jsonl", "parquet", "filter", False),
    "gz": ("jsonl.gz", "jsonl", "filter", False),
    "zst": ("jsonl.zst", "jsonl", "filter", False),
    "dedup": ("jsonl", "jsonl", "dedup", False),
    "jsonl_2": ("jsonl", "jsonl", "filter", True),
    "parquet_2": ("parquet", "parquet", "filter", True),
}

DJHOST_OPS = {
    "filter": {"text_length_filter": {"min_len": MIN_CHARS}},
    "dedup": {"document_deduplicator": {}},
}


# Peers: each does a row in a process of its own, with imports inside, so that a peer pays for
# itself alone.


def polars(work, source, target, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    frame = pl.scan_parquet(source) if source.endswith(".parquet") else pl.scan_ndjson(source)
    if work == "filter":
        frame = frame.filter(pl.col("text").str.len_chars() >= MIN_CHARS)
    else:
        frame = frame.unique(subset=["text"], keep="first", maintain_order=True)
    frame.sink_parquet(target) if target.endswith(".parquet") else frame.sink_ndjson(target)


def duckdb(work, source, target, threads):
    import duckdb as engine

    connection = engine.connect()
    connection.execute(f"SET threads = {threads}")
    is_parquet = source.endswith(".parquet")
    rows = f"read_parquet('{source}')" if is_parquet else f"read_json('{source}', format = 'newline_delimited')"
    query = {
        "filter": f"SELECT * FROM {rows} WHERE length(text) >= {MIN_CHARS}",
        "dedup": f"SELECT DISTINCT ON (text) * FROM {rows}",
    }[work]
    form = "parquet" if target.endswith(".parquet") else "json"
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT {form})")


def daft(work, source, target, threads):
    import daft as engine

    engine.set_runner_native(num_threads=threads)
    frame = engine.read_parquet(source) if source.endswith(".parquet") else engine.read_json(source)
    if work == "filter":
        frame = frame.where(engine.functions.length(engine.col("text")) >= MIN_CHARS)
    else:
        frame = frame.distinct("text")
    if target.endswith(".parquet"):
        frame.write_parquet(target, write_mode="overwrite")
    else:
        frame.write_json(target, write_mode="overwrite")


def data_juicer(work, source, target, threads):
    op = {
        "filter": {"text_length_filter": {"min_len": MIN_CHARS}},
        "dedup": {"document_deduplicator": {}},
    }[work]
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder, "recipe.yaml")
        settings = {
            "dataset_path": source,
            "export_path": target,
            "work_dir": folder,
            "np": threads,
            "open_tracer": False,
            "process": [op],
        }
        recipe.write_text(json.dumps(settings))
        subprocess.run(["dj-process", "--config", str(recipe)], check=True)


def datatrove(work, source, target, threads):
    if work != "filter":
        raise SystemExit("not compared")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.filters import LambdaFilter
    from datatrove.pipeline.readers import JsonlReader, ParquetReader
    from datatrove.pipeline.writers import JsonlWriter, ParquetWriter

    path = Path(source)
    if path.name.endswith(".parquet"):
        reader = ParquetReader(str(path.parent), glob_pattern=path.name)
    else:
        reader = JsonlReader(str(path.parent), glob_pattern=path.name)
    if target.endswith(".parquet"):
        writer = ParquetWriter(target)
    else:
        writer = JsonlWriter(target, compression=None)
    with tempfile.TemporaryDirectory() as logs:
        steps = [reader, LambdaFilter(lambda document: len(document.text) >= MIN_CHARS), writer]
        # Its tasks are files, so one file is one worker's.
        LocalPipelineExecutor(steps, tasks=1, workers=1, logging_dir=logs).run()


PEERS = {
    "polars": (polars, "polars"),
    "duckdb": (duckdb, "duckdb"),
    "daft": (daft, "daft"),
    "data-juicer": (data_juicer, "data_juicer"),
    "datatrove": (datatrove, "datatrove"),
}


def is_installed(module):
    return importlib.util.find_spec(module) is not None


# Inputs.


def make_parquet(source, target):
    if is_installed("polars"):
        import polars as pl

        pl.scan_ndjson(source).sink_parquet(target)
    elif is_installed("duckdb"):
        import duckdb as engine

        engine.connect().execute(
            f"COPY (SELECT * FROM read_json('{source}', format = 'newline_delimited')) TO '{target}'"
            " (FORMAT parquet, COMPRESSION zstd)"
        )
    else:
        raise LookupError("neither polars nor duckdb is installed to write Parquet")


def make_zst(source, target):
    if is_installed("zstandard"):
        import zstandard

        with open(source, "rb") as rows, open(target, "wb") as out:
            zstandard.ZstdCompressor(level=3).copy_stream(rows, out)
    elif shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "-3", source, "-o", target], check=True)
    else:
        raise LookupError("neither the module `zstandard` nor the program `zstd` is installed")


def make_gz(source, target):
    with open(source, "rb") as rows, gzip.open(target, "wb", compresslevel=6) as out:
        shutil.copyfileobj(rows, out, 1 << 20)


def make_input(data, folder, suffix):
    """The input with this suffix, made once. Raises LookupError where nothing here can make it."""
    if suffix == "jsonl":
        return str(data)
    target = folder / f"input.{suffix}"
    if not target.exists():
        make = {"parquet": make_parquet, "jsonl.gz": make_gz, "jsonl.zst": make_zst}[suffix]
        # In a process of its own, so that the engine's memory is not ours.
        process = os.fork()
        if process == 0:
            try:
                make(str(data), str(target))
            except BaseException as error:  # noqa: BLE001 (a child must not return)
                print(error, file=sys.stderr)
                os._exit(1)
            os._exit(0)
        if os.waitpid(process, 0)[1] != 0:
            target.unlink(missing_ok=True)
            raise LookupError(f"cannot make {target.name}")
    return str(target)


# Measurements.


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def measured(command, env=None):
    """CPU seconds of the process and its children, and wall seconds; None if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None, said.decode(errors="replace").strip()[-300:]
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - started), None


def djhost_command(binary, folder, work, source, target, workers):
    recipe = folder / "recipe.yaml"
    settings = {
        "dataset_path": source,
        "export_path": target,
        "work_dir": str(folder / "work"),
        "job_id": "compare",
        "np": workers,
        "process": [DJHOST_OPS[work]],
    }
    recipe.write_text(json.dumps(settings))
    return [binary, "run", str(recipe), "--fresh"]


def compare_row(row, arguments, folder, peers):
    suffix, out, work, is_wall = ROWS[row]
    try:
        source = make_input(Path(arguments.data).resolve(), folder, suffix)
    except LookupError as error:
        print(f"| {row} | {error} |")
        return
    threads = 2 if is_wall else 1
    times, failed = {name: [] for name in ["djhost", *peers]}, {}
    # The first round warms the file cache, and djhost's cache of compiled operators.
    for number in range(arguments.rounds + 1):
        for name in times:
            if name in failed:
                continue
            target = folder / f"out.{out}"
            remove(target)
            if name == "djhost":
                command = djhost_command(arguments.djhost, folder, work, source, str(target), threads)
            else:
                command = [sys.executable, __file__, "--peer", name, row, source, str(target), str(threads)]
            found, error = measured(command)
            if error is not None or found is None:
                failed[name] = error or "failed"
            elif number > 0:
                times[name].append(found[1 if is_wall else 0])
    unit = "wall s, 2 workers" if is_wall else "CPU s"
    cells = [row, unit]
    own = statistics.median(times["djhost"]) if times["djhost"] else None
    cells.append(f"{own:.2f}" if own else "failed")
    for name in peers:
        if name in failed or not times[name] or own is None:
            cells.append("—")
        else:
            theirs = statistics.median(times[name])
            cells.append(f"{theirs:.2f} ({theirs / own:.2f})")
    print(f"| {' | '.join(cells)} |", flush=True)
    for name, error in failed.items():
        print(f"{row}, {name}: {error}", file=sys.stderr)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        name, row, source, target, threads = sys.argv[2:7]
        PEERS[name][0](ROWS[row][2], source, target, int(threads))
        # The rows are written. Daft's threads sometimes crash an interpreter that ends.
        os._exit(0)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="JSONL with a `text` in each row")
    parser.add_argument("--djhost", default=shutil.which("djhost") or "target/release/djhost")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", help="folder for inputs and outputs; default: a temporary one")
    arguments = parser.parse_args()
    rows = arguments.rows.split(",")
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        parser.error(f"unknown rows {', '.join(unknown)}; there are {', '.join(ROWS)}")
    peers = [name for name, (_, module) in PEERS.items() if is_installed(module)]
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        heads = ["row", "unit", "djhost", *(f"{name} (÷ djhost)" for name in peers)]
        print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for row in rows:
            compare_row(row, arguments, Path(folder), peers)


if __name__ == "__main__":
    main()
