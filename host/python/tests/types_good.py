"""A program that type checks. Not run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import djhost
import djhost_sdk
from djhost.errors import JobFailed, JobStopped, Problem, RecipeError
from djhost.utils.job.common import JobUtils, list_running_jobs
from djhost.utils.job.monitor import show_job_progress
from djhost.utils.job.stopper import stop_job


def runs() -> list[dict[str, Any]]:
    op: djhost.ops.Op = djhost.ops.text_length_filter(min_len=5, text_key="body", reversed_range=True, limits={"memory_mb": 64})
    result: djhost.Result = djhost.run("data.jsonl", [op, "clean_links_mapper", {"words_num_filter": {}}], np=2, job_id="a")
    alone: djhost.Result = op([{"text": "a"}])
    lengths: int = len(result) + len(alone)
    path: Path = result.path
    print(lengths, path, result.ledger["read"], [op["name"] for op in result.ops])
    for row in result:
        print(row["text"])
    return result.to_list()


def chains() -> djhost.Recipe:
    chain: djhost.Chain = djhost.read(Path("data.jsonl"), plugins=["ops"]).clean_links_mapper(repl="").text_length_filter(min_len=9)
    plan: djhost.Plan = chain.plan()
    job: djhost.Job = chain.start(np=1)
    print(plan.text, job.status, chain.run().data)
    recipe: djhost.Recipe = chain.recipe() + ["document_deduplicator"]
    recipe.append({"words_num_filter": {"min_num": 2}})
    recipe[0] = "clean_ip_mapper"
    params: dict[str, Any] = recipe[0].params
    print(params, recipe[1:].options)
    recipe.save("recipe.yaml")
    return djhost.Recipe.load("recipe.yaml")


def describes() -> list[str]:
    shown: djhost.ops.Description = djhost.ops.show("text_length_filter")
    names = [param.name for param in shown.params]
    return names + [op.summary for op in djhost.ops.list("length", kind="filter", plugins=[Path("ops")])]


def errors() -> Optional[str]:
    try:
        problems: list[Problem] = djhost.check([{"text_length_filter": {}}])
    except RecipeError as error:
        problems = error.problems
    except (JobFailed, JobStopped) as error:
        return error.resumption_command
    return problems[0].hint


def jobs() -> dict[str, Any]:
    print(list_running_jobs("outputs")[0]["status"], stop_job("job", force=True, timeout=60)["success"])
    utils = JobUtils("job", base_dir="outputs")
    summary: Optional[dict[str, Any]] = utils.load_job_summary()
    print(summary, utils.get_partition_status()[0]["status"], utils.load_event_logs()[0]["event_type"])
    return show_job_progress("job", detailed=True)["overall_progress"]  # type: ignore[no-any-return]


@djhost_sdk.filter(stat="questions", range=("min_num", None))
def question_filter(text: str, *, min_num: Annotated[int, djhost_sdk.Param("The least number.", min=0)] = 1) -> int:
    """Keeps texts that ask something."""
    return text.count("?")


@djhost_sdk.mapper
def shout_mapper(text: str) -> str:
    """Writes texts in capitals."""
    return text.upper()


def builds() -> int:
    built: djhost.Built = djhost.build(question_filter, shout_mapper, paths=["lib"])
    questions: int = question_filter("why?")
    op: djhost.ops.Op = built.question_filter(min_num=2)
    return questions + len(djhost.run("data.jsonl", [op], plugins=[built]))


async def waits(job: djhost.Job) -> djhost.Result:
    return await job


def questions() -> Optional[int]:
    result: djhost.Result = djhost.run([{"text": "a"}], ["clean_links_mapper"], trace="stats")
    reasons = [row["reason"] for row in result.dropped("text_length_filter")]
    explained: djhost.Explained = result.explain(0)
    page: Path = result.report().path
    result.compare(result, page)
    analysis: djhost.Analysis = djhost.analyze("data.jsonl", by="lang", keep=90, what_if={"text_length_filter": {"min_len": 3}})
    found: djhost.WhatIf = analysis.what_if({"text_length_filter.min_len": None, "words_num_filter.max_num": 3})
    recipe: djhost.Recipe = analysis.recipe()
    print(reasons, explained.steps, str(explained), recipe, result.findings, int(found))
    return analysis.answer.stay if analysis.answer else None
