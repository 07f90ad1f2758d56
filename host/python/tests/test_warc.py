"""WARC files: what djhost makes of them beside what warcio and fastwarc read, record by record."""

from __future__ import annotations

import gzip
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import djhost
import pytest
from conftest import REPOSITORY

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and nobody asks why.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Dès Noël, où un zéphyr haï me vêt de glaçons würmiens.",
    "Zażółć gęślą jaźń, a potem odpocznij.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "いろはにほへと ちりぬるを わかよたれそ つねならむ",
    "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.",
    "我能吞下玻璃而不伤身体。春眠不觉晓，处处闻啼鸟。",
    "我能吞下玻璃而不傷身體。春眠不覺曉，處處聞啼鳥。",
]


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "host/benches/corpus" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make() -> ModuleType:
    return _module("make_warc")


def _pages(directory: Path) -> Path:
    site = directory / "site"
    site.mkdir()
    for number in range(180):
        text = " ".join([SENTENCES[number % len(SENTENCES)]] * (1 + number % 40))
        page = f"<!DOCTYPE html><html><head><title>{number}</title></head><body><p>{text}</p></body></html>\n"
        (site / f"{number:03}.html").write_text(page, encoding="utf-8")
    return site


def _command() -> str:
    found = shutil.which("djhost", path=str(Path(sys.executable).parent))
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "whole.warc.gz", "a.warc.zst", "whole.warc.zst"])
def test_the_same_records(make: ModuleType, tmp_path: Path, name: str) -> None:
    writer = make.Writer(tmp_path / name, whole=name.startswith("whole"))
    pages = list(make.pages_of(_pages(tmp_path)))
    for page in pages:
        for record in make.records_of(page, vary=True):
            writer.write(record)
    writer.close()
    # Files that are packed as a whole are for neither of the two.
    if name in ("a.warc", "a.warc.gz"):
        assert _module("compare_warc").differences(tmp_path / name, _command()) == []
    rows = djhost.run(str(tmp_path / name), [], progress=False).to_list()
    assert len(rows) == len(pages)
    # The charset was found, whatever was said of it.
    wrong = [
        row["url"]
        for row, page in zip(rows, pages)
        if page.body.decode()[40:] not in make.META.sub(b"", row["html"].encode()).decode()
    ]
    assert wrong == []


def test_the_sample_is_what_the_script_makes(make: ModuleType, tmp_path: Path) -> None:
    sample = REPOSITORY / "configs/data/pages.warc.gz"
    records = [make.record("warcinfo", None, "application/warc-fields", b"software: make_warc\r\n")]
    for page in make.pages_of(REPOSITORY / "configs/data/pages"):
        records.extend(make.records_of(page, vary=True))
    assert gzip.decompress(sample.read_bytes()) == b"".join(records)
    assert len(djhost.run(str(sample), [], progress=False)) == 10
