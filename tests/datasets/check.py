"""What `datasets` loads from directories in the hub's layouts, and what djhost reads and writes.

    check.py layouts DJHOST    reads each layout with both, by configuration and split, and compares the rows
    check.py exports DJHOST    lets djhost write datasets, and compares what `datasets` loads of them

Works in the current directory. Ends with 1 and a list if they differ.
"""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Sequence, Value
from datasets.exceptions import DatasetGenerationError
from PIL import Image as Picture

WHAT, DJHOST = sys.argv[1:]
wrong = []

# A layout: its files (each has its name as its only row), its card, and the choices to make.
NONE = (None, None)
LAYOUTS = {
    "plain": (["a.jsonl", "sub/b.jsonl"], "", [NONE, (None, "train")]),
    "names": (
        ["train.jsonl", "dev.jsonl", "my_test_2.jsonl", "contest.jsonl", "x/evaluation-1.jsonl"],
        "",
        [(None, "train"), (None, "validation"), (None, "test"), (None, "all"), (None, "train+test"), (None, "other")],
    ),
    "directories": (
        ["train/a.jsonl", "train/deep/b.jsonl", "test-1/c.jsonl", "data/valid/d.jsonl", "testing_x/e.jsonl", "top.jsonl"],
        "",
        [(None, "train"), (None, "test"), (None, "validation")],
    ),
    "shards": (
        ["data/en-00000-of-00002.jsonl", "data/en-00001-of-00002.jsonl", "data/train-00000-of-00001-0123abcd.jsonl", "test.jsonl"],
        "",
        [(None, "en"), (None, "train"), (None, "test"), (None, "all")],
    ),
    "hidden": (
        [".git/train.jsonl", "__pycache__/train.jsonl", ".train.jsonl", "train-1.jsonl", "a/.b/train.jsonl"],
        "",
        [(None, "train")],
    ),
    "one config": (
        ["a/x.jsonl", "a/y.jsonl", "b.jsonl"],
        "configs:\n- config_name: only\n  data_files: a/*.jsonl\n",
        [NONE, ("only", None), ("only", "train"), ("other", None)],
    ),
    "configs": (
        ["en/train.jsonl", "en/test.jsonl", "de/1.jsonl", "de/2.jsonl", "fr/sub/train/1.jsonl", "fr/sub/dev/2.jsonl"],
        "configs:\n- config_name: en\n  data_files:\n  - split: train\n    path: en/train.jsonl\n  - split: test\n    path:\n    - en/t*t.jsonl\n"
        "- config_name: de\n  data_files: [de/2.jsonl, de/1.jsonl]\n- config_name: fr\n  data_dir: fr/sub\n",
        [NONE, ("en", "train"), ("en", "test"), ("de", None), ("de", "train"), ("fr", "train"), ("fr", "validation"), ("fr", "test")],
    ),
    "default by name": (
        ["a.jsonl", "b.jsonl"],
        "configs:\n- config_name: other\n  data_files: a.jsonl\n- config_name: default\n  data_files: b.jsonl\n",
        [NONE, ("other", None), ("default", "train")],
    ),
    "default by mark": (
        ["a.jsonl", "b.jsonl"],
        "configs:\n- config_name: x\n  data_files: a.jsonl\n- config_name: y\n  default: true\n  data_files:\n  - split: train\n    path: b.jsonl\n",
        [NONE, ("x", None)],
    ),
    "patterns": (
        ["d/1.jsonl", "d/e/2.jsonl", "d/e/f/3.jsonl", "g/4.jsonl", "d/5a.jsonl", "d/5b.jsonl"],
        "configs:\n- config_name: deep\n  data_files: d/**/*.jsonl\n- config_name: all\n  data_files: 'd/**'\n"
        "- config_name: one\n  data_files: d/?.jsonl\n- config_name: set\n  data_files: d/5[ab].jsonl\n- config_name: none\n  data_files: h/*.jsonl\n",
        [("deep", None), ("all", None), ("one", None), ("set", None), ("none", None)],
    ),
    "missing": (["a.jsonl"], "configs:\n- config_name: m\n  data_files: [a.jsonl, b.jsonl]\n", [NONE]),
}


def write(directory, files, card):
    for name in files:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"text": name}) + "\n")
    (directory / "README.md").write_text(f"---\n{card}---\n# A card\n" if card else "# A card\n")


def djhost(recipe, out):
    """The rows that djhost reads; None: it refuses."""
    shutil.rmtree("work", ignore_errors=True)
    recipe = {"export_path": out, "work_dir": "work", "job_id": "job", "process": [], **recipe}
    Path("recipe.yaml").write_text(json.dumps(recipe))
    done = subprocess.run([DJHOST, "run", "recipe.yaml", "--quiet"], capture_output=True, text=True)
    if done.returncode not in (0, 2):
        wrong.append(f"{recipe}: {done.stderr}")
    return done


def chosen(config, split):
    return {key: value for key, value in [("config_name", config), ("split", split)] if value}


def load(directory, config, split):
    """What `datasets` loads: rows by split, or None if it refuses."""
    try:
        loaded = datasets.load_dataset(str(directory.absolute()), config, split=split)
    except (ValueError, FileNotFoundError, StopIteration, DatasetGenerationError):
        return None
    return loaded if isinstance(loaded, dict) else {split: loaded}


def layouts():
    for name, (files, card, choices) in LAYOUTS.items():
        directory = Path(f"in {name}")
        write(directory, files, card)
        for config, split in choices:
            what = f"{name}: configuration {config}, split {split}"
            theirs = load(directory, config, split)
            done = djhost({"dataset_path": str(directory), **chosen(config, split)}, "out/rows.jsonl")
            if theirs is None:
                if done.returncode == 0:
                    wrong.append(f"{what}: `datasets` refuses it, djhost reads {Path('out/rows.jsonl').read_text()}")
                continue
            if split is None and len(theirs) > 1:
                # Where all splits come, djhost wants to be told so.
                if card and done.returncode != 2:
                    wrong.append(f"{what}: there are {list(theirs)}, and djhost chooses")
                continue
            expected = [row["text"] for rows in theirs.values() for row in rows]
            if done.returncode:
                wrong.append(f"{what}: `datasets` reads {expected}: {done.stderr}")
                continue
            rows = [json.loads(line)["text"] for line in Path("out/rows.jsonl").read_text().splitlines()]
            same = rows == expected if split != "all" else sorted(rows) == sorted(expected)
            if not same:
                wrong.append(f"{what}: `datasets` reads {expected}, djhost {rows}")
    saved()


def saved():
    """What `save_to_disk` has written, with a cache of `map` beside it."""
    rows = Dataset.from_dict({"text": [f"row {i}" for i in range(10)]})
    rows.save_to_disk("saved", num_shards=3)
    mapped = datasets.load_from_disk("saved").map(lambda row: {"text": row["text"].upper()}, load_from_cache_file=False)
    if not list(Path("saved").glob("cache-*.arrow")):
        wrong.append("`map` has left no cache")
    assert len(mapped) == 10
    DatasetDict({"train": rows, "test": rows.select([0]).flatten_indices()}).save_to_disk("dict")
    for path, split, expected in [("saved", None, 10), ("dict", "train", 10), ("dict", "test", 1), ("dict", None, 11)]:
        done = djhost({"dataset_path": path, **chosen(None, split)}, "out/rows.jsonl")
        lines = Path("out/rows.jsonl").read_text().splitlines() if done.returncode == 0 else []
        if len(lines) != expected or any("ROW" in line for line in lines):
            wrong.append(f"{path}, split {split}: {len(lines)} rows, not {expected}: {done.stderr}")


def picture():
    out = io.BytesIO()
    Picture.new("RGB", (2, 2)).save(out, "PNG")
    return {"bytes": out.getvalue(), "path": "a.png"}


def exports():
    features = Features(
        {
            "text": Value("string"),
            "label": ClassLabel(names=["neg", "pos"]),
            "labels": Sequence(ClassLabel(names=["x", "y"])),
            "tags": Sequence(Value("string")),
            "meta": {"url": Value("string"), "n": Value("int32"), "deep": {"f": Value("float32")}},
            "turns": [{"role": Value("string"), "label": ClassLabel(names=["a"])}],
            "image": Image(),
            "when": Value("timestamp[us]"),
        }
    )
    row = {
        "label": 1, "labels": [0, 1], "tags": ["a", "b"], "meta": {"url": "u", "n": 1, "deep": {"f": 0.5}},
        "turns": [{"role": "user", "label": 0}], "image": picture(), "when": 0,
    }
    rows = Dataset.from_list([{"text": f"text number {i}", **row} for i in range(1000)], features=features)
    # With the features in the files, with those of a card alone, and JSON rows.
    rows.to_parquet("full/rows.parquet")
    table = rows.with_format("arrow")[:]
    Path("card/data").mkdir(parents=True)
    pq.write_table(table.replace_schema_metadata(None), "card/data/rows.parquet")
    info = {"dataset_info": {"features": features._to_yaml_list()}, "configs": [{"config_name": "default", "data_files": "data/*"}]}
    Path("card/README.md").write_text(f"---\n{json.dumps(info)}\n---\n")
    plain = Dataset.from_dict({"text": [f"text number {i}" for i in range(1000)], "n": list(range(1000)), "l": [["a"]] * 1000})
    plain.to_json("plain.jsonl")
    for source, expected in [("full", rows), ("card", rows), ("plain.jsonl", plain)]:
        recipe = {"dataset_path": source, "export_type": "hf", "export_shard_size": "32KiB", "process": [{"text_length_filter": {"min_len": 14}}]}
        out = f"made of {Path(source).stem}"
        done = djhost(recipe, out)
        if done.returncode:
            wrong.append(f"{source}: {done.stderr}")
            continue
        shards = sorted(path.name for path in Path(out, "data").iterdir())
        if len(shards) < 2 or shards[0] != f"train-00000-of-{len(shards):05}.parquet":
            wrong.append(f"{source}: shards {shards}")
        loaded = load(Path(out), None, "train")
        loaded = loaded["train"] if loaded else wrong.append(f"{source}: `datasets` refuses it")
        if loaded is None:
            continue
        if loaded.features != expected.features:
            wrong.append(f"{source}: features {loaded.features}, not {expected.features}")
        kept = [row for row in expected.with_format("arrow")[:].to_pylist() if len(row["text"]) >= 14]
        if loaded.with_format("arrow")[:].to_pylist() != kept:
            wrong.append(f"{source}: other rows")
        builder = datasets.load_dataset_builder(out)
        if builder.info.splits["train"].num_examples != len(kept) or builder.info.features != expected.features:
            wrong.append(f"{source}: the card says {builder.info}")


{"layouts": layouts, "exports": exports}[WHAT]()
print("\n".join(wrong), file=sys.stderr)
sys.exit(1 if wrong else 0)
