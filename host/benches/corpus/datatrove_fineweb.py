#!/usr/bin/env python3
"""FineWeb's pipeline in datatrove, over one WARC file, to compare with `fineweb.yaml` of this directory: prints how many documents each step kept, and
writes what is left as JSONL.

    python -m venv venv && venv/bin/pip install 'datatrove[processing,io]==0.10.1'
    venv/bin/pip install --target newer trafilatura==2.3.1    # datatrove asks for 1.11; with PYTHONPATH=newer it runs with the one that djhost follows
    venv/bin/python datatrove_fineweb.py pages.warc.gz lid.176.ftz OUT_DIR

The steps and their parameters are those of datatrove's own example of FineWeb, with these changes, which `fineweb.yaml` has, too: the lists of URLs are
empty (the two programs take them from files of the user), the language model is the one that is given, trafilatura does not leave out what earlier
pages had (it would depend on their order), and no page has a time limit.
"""

import glob
import json
import shutil
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
    URLFilter,
)
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils import lid
from datatrove.utils.hashing import HashConfig


def main(warc: str, model: str, out: str) -> None:
    source, work = Path(warc).resolve(), Path(out).resolve()
    shutil.rmtree(work, ignore_errors=True)
    lid.FT176LID.MODEL_URL = str(Path(model).resolve())
    lid.cached_asset_path_or_download = lambda path, **_: path

    def run(name: str, *steps: object) -> None:
        LocalPipelineExecutor(pipeline=list(steps), tasks=1, workers=1, logging_dir=str(work / "logs" / name)).run()

    run(
        "filters",
        WarcReader(str(source.parent), glob_pattern=source.name),
        URLFilter(use_integrated_lists=False),
        Trafilatura(favour_precision=True, timeout=600, deduplicate=False),
        LanguageFilter(languages="en"),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
        JsonlWriter(str(work / "filtered"), compression=None),
    )
    config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
    run("signatures", JsonlReader(str(work / "filtered")), MinhashDedupSignature(str(work / "signatures"), config=config, language="eng"))
    LocalPipelineExecutor(
        pipeline=[MinhashDedupBuckets(str(work / "signatures"), str(work / "buckets"), config=config)],
        tasks=config.num_buckets,
        workers=1,
        logging_dir=str(work / "logs" / "buckets"),
    ).run()
    run("clusters", MinhashDedupCluster(str(work / "buckets"), str(work / "removed"), config=config))
    run("dedup", JsonlReader(str(work / "filtered")), MinhashDedupFilter(str(work / "removed")), PIIFormatter(), JsonlWriter(str(work / "out"), compression=None))

    for name in ("filters", "dedup"):
        [stats] = glob.glob(str(work / "logs" / name / "stats.json"))
        for step in json.loads(Path(stats).read_text()):
            counts = {key: value if isinstance(value, int) else value.get("total") for key, value in step["stats"].items() if key in ("total", "documents", "forwarded", "dropped")}
            print(json.dumps({"step": step["name"].split(" ", 1)[-1].strip(), **counts}, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
