"""Counts the recipes of a folder that djhost plans as they are, and says what each of the others lacks.

    python plugins/count_recipes.py FOLDER [--djhost PROGRAM] [--model-dir DIR | --stand-ins] [--list FILE]

A recipe is a YAML file with a list `process`. It is planned with a dataset of one row in place of its own; nothing else is changed.
`--stand-ins` makes a model directory of the small models of the tests under the names that recipes ask for: what is counted then is
what would be planned with the real ones.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "tests" / "parity" / "models"
"""The models of the tests."""

LANGUAGES = ("en", "zh", "fr", "es", "de", "pt", "it", "ru", "ja", "ca", "eu", "id", "vi", "ar", "bn", "hi", "ur")
TOKENIZERS = ("EleutherAI/pythia-6.9b-deduped",)
PAIRS = {"openai/clip-vit-base-patch32": "clip", "Salesforce/blip-itm-base-coco": "blip"}

ROW = (
    '{"text": "one row", "images": [], "audios": [], "videos": [], "metadata": {}, "language": "en", '
    '"messages": [{"role": "user", "content": "one row"}, {"role": "assistant", "content": "read"}]}'
)
"""A row with the fields that operators and validators of recipes ask for."""


def stand_ins(directory: Path) -> None:
    """Puts small models under Data-Juicer's names into a directory."""
    for language in LANGUAGES:
        shutil.copy(MODELS / "unigram.model", directory / f"{language}.sp.model")
        shutil.copy(MODELS / "unigram.arpa", directory / f"{language}.arpa.bin")
    shutil.copy(MODELS / "lang.ftz", directory / "lid.176.bin")
    for name in TOKENIZERS:
        shutil.copytree(MODELS / "bytelevel", directory / name)
    for name, small in PAIRS.items():
        shutil.copytree(MODELS / small, directory / name)


def is_recipe(path: Path) -> bool:
    """Whether a YAML file has a list of operators."""
    return re.search(r"^process:\s*(#.*)?\n(\s*#.*\n)*\s*-\s", path.read_text("utf-8"), re.MULTILINE) is not None


def mistakes(djhost: str, recipe: Path, models: list[str]) -> list[str]:
    """What djhost says is wrong with a recipe; nothing if it plans it."""
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch) / "dataset.jsonl"
        dataset.write_text(ROW + "\n")
        command = [djhost, "plan", str(recipe.resolve()), "--dataset_path", str(dataset), "--export_path", "out.jsonl", "--work_dir", "work"]
        command += [part for directory in models for part in ("--model-dir", directory)]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    lines = [line.strip() for line in done.stderr.splitlines()]
    said = [line for line in lines if line and not line.startswith(("hint:", "compil"))]
    return [re.sub(r"^(error: )?\S+\.ya?ml(:\d+)?: ", "", line) for line in said]


def missing(message: str) -> str:
    """The operator that a message is about, or the message."""
    found = re.search(r"lacks Data-Juicer's `(\w+)`|there is no operator `(\w+)`", message)
    return next((name for name in found.groups() if name), message) if found else message


def main() -> int:
    """Counts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with recipes, searched recursively")
    parser.add_argument("--djhost", default="djhost", help="the program")
    parser.add_argument("--model-dir", action="append", default=[], metavar="DIR", help="directory with models; may be given several times")
    parser.add_argument("--stand-ins", action="store_true", help="take the models of the tests for the real ones")
    parser.add_argument("--list", type=Path, metavar="FILE", help="write what each refused recipe lacks, as Markdown")
    given = parser.parse_args()
    djhost = shutil.which(given.djhost)
    if djhost is None:
        parser.error(f"there is no program `{given.djhost}`: name it with --djhost")
    recipes = sorted(path for path in given.folder.rglob("*.y*ml") if path.is_file() and is_recipe(path))
    if not recipes:
        parser.error(f"`{given.folder}` has no recipes")
    with tempfile.TemporaryDirectory() as directory:
        models = list(given.model_dir)
        if given.stand_ins:
            stand_ins(Path(directory))
            models.append(directory)
        wrong = {path: mistakes(str(Path(djhost).resolve()), path, models) for path in recipes}
    refused = {path: found for path, found in wrong.items() if found}
    lacking: Counter[str] = Counter()
    lines = []
    for path, found in refused.items():
        what = list(dict.fromkeys(missing(message) for message in found))
        lacking.update(what)
        lines.append(f"- `{path.relative_to(given.folder)}`: " + "; ".join(f"`{w}`" if w.isidentifier() else w for w in what))
    print(f"{len(recipes) - len(refused)} of {len(recipes)} recipes are planned as they are")
    print("\n".join(lines))
    for what, count in lacking.most_common(20):
        print(f"{count:4} {what}")
    if given.list:
        given.list.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
