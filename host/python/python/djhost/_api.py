"""`djhost.run`, `djhost.start`, `djhost.plan` and `djhost.check`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional, Union

from djhost import _djhost, _host
from djhost._data import Given, given, splits_of
from djhost._job import Job
from djhost._progress import Progress
from djhost._recipe import RecipeLike, listed, options_of, plugins_of, recipe_of
from djhost._result import Result
from djhost._scratch import Scratch
from djhost._splits import SplitResult
from djhost.errors import DataError, PluginError, Problem, RecipeError

__all__ = ["Plan", "check", "merged", "plan", "run", "start", "start_job"]

_Path = Union[str, "os.PathLike[str]"]

# Where run directories go if the caller names the job, but no place.
_WORK_DIR = "outputs"

_host.prepare()


def run(
    data: Any,
    recipe: RecipeLike,
    *,
    text_key: Optional[str] = None,
    export_path: Optional[_Path] = None,
    job_id: Optional[str] = None,
    work_dir: Optional[_Path] = None,
    plugins: Union[_Path, Iterable[_Path]] = (),
    np: Optional[int] = None,
    on_error: Optional[str] = None,
    keep_stats: Optional[bool] = None,
    progress: Progress = "auto",
    **options: Any,
) -> Result:
    """Run a recipe over data and return the result.

    >>> import djhost
    >>> rows = [{"text": "Contact me:   a@b.example"}, {"text": "no"}]
    >>> djhost.run(rows, [
    ...     "whitespace_normalization_mapper",
    ...     {"clean_email_mapper": {"repl": "<mail>"}},
    ...     {"text_length_filter": {"min_len": 5}},
    ... ]).to_list()
    [{'text': 'Contact me:   <mail>'}]

    Args:
        data: A path, a glob, a URL (``http``, ``https``, ``s3``, ``hf``), or a list of them; a list or iterator of dicts; a pyarrow Table,
            RecordBatch or RecordBatchReader, or anything with ``__arrow_c_stream__``; a DataFrame of
            pandas or polars, or a LazyFrame; a Dataset, DatasetDict (each split by itself) or
            IterableDataset of Hugging Face; a Dataset of Ray. None: the recipe names the dataset. Data in memory are
            written to the run directory once.
        recipe: The path of a YAML file, a list of operators (names, or dicts of a name and
            parameters), or a dict with ``process`` and options.
        text_key: The field that operators work on. By default what the recipe says, or ``text``.
        export_path: The file of the result: ``.jsonl``, ``.json``, ``.parquet`` or ``.arrow``; with
            ``export_type="hf"`` the directory of a dataset that ``datasets.load_dataset`` reads, or
            ``hf://datasets/OWNER/NAME``. By default what the recipe says, or a file in the run
            directory.
        job_id: The name of the job. A job of this name is continued.
        work_dir: Where run directories go. If neither this nor `job_id` nor `export_path` is given,
            here or in the recipe, the run directory is temporary and lives as long as the result.
        plugins: Directories with operator components (``*.wasm``), or such files.
        np: Number of worker threads. By default one per core.
        on_error: What happens to a row that an operator cannot process: ``quarantine`` (the default),
            ``drop`` or ``fail``.
        keep_stats: Whether rows keep what filters have computed.
        progress: ``"auto"`` shows progress on a terminal and in a notebook.
        options: Any option of ``configs/reference.yaml``; ``__`` stands for a dot:
            ``partition__size=1000``. ``config_name="en", split="train"`` choose what is read of a
            dataset in the layout of the Hugging Face hub. They count before those of the environment (``DJHOST_…``), and
            those before the recipe's.

    Raises:
        RecipeError: The recipe, an option or the dataset cannot be used; see ``problems``.
        PluginError: A plugin cannot be used.
        DataError: The rows cannot be taken.
        JobFailed, JobStopped: The job has ended without a result; ``error.job.resume()`` continues it.
        ExpectationError: The result is not what ``expect`` in the recipe demands.
    """
    options = merged(
        options,
        text_key=text_key,
        export_path=export_path,
        job_id=job_id,
        work_dir=work_dir,
        plugins=plugins,
        np=np,
        on_error=on_error,
        keep_stats=keep_stats,
    )
    splits = splits_of(data)
    if splits is not None:
        return _run_splits(splits, recipe, options, progress)
    return start_job(data, recipe, options).wait(progress=progress)


def start(
    data: Any,
    recipe: RecipeLike,
    *,
    text_key: Optional[str] = None,
    export_path: Optional[_Path] = None,
    job_id: Optional[str] = None,
    work_dir: Optional[_Path] = None,
    plugins: Union[_Path, Iterable[_Path]] = (),
    np: Optional[int] = None,
    on_error: Optional[str] = None,
    keep_stats: Optional[bool] = None,
    **options: Any,
) -> Job:
    """Start a job in the background, with the arguments of :func:`run`.

    Data in memory are taken before this returns, and mistakes are raised.

    >>> import djhost
    >>> job = djhost.start([{"text": "a text"}], ["whitespace_normalization_mapper"])
    >>> len(job.wait())
    1
    """
    options = merged(
        options,
        text_key=text_key,
        export_path=export_path,
        job_id=job_id,
        work_dir=work_dir,
        plugins=plugins,
        np=np,
        on_error=on_error,
        keep_stats=keep_stats,
    )
    if splits_of(data) is not None:
        raise DataError(
            "a DatasetDict is several jobs\n  hint: start one for each split, or use `djhost.run`"
        )
    return start_job(data, recipe, options)


class Plan(NamedTuple):
    """What a job would do: :func:`plan`."""

    text: str
    """For people, as ``djhost plan`` prints it."""
    document: dict[str, Any]
    """As in ``dag_execution_plan.json``."""

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        from djhost._html import plan_html

        return plan_html(self)


def plan(data: Any, recipe: RecipeLike, **options: Any) -> Plan:
    """Return what :func:`run` would do with the same arguments: ops, partitions, checkpoints.

    >>> import djhost
    >>> plan = djhost.plan([{"text": "a text"}], [{"text_length_filter": {"min_len": 3}}])
    >>> [op["operation_name"] for op in plan.document["operations"]]
    ['text_length_filter']
    """
    options = merged(options)
    found = _given(data)
    if found is not None and found.once:
        raise DataError("a plan would use up the iterator\n  hint: give rows that can be taken again")
    call = _Call.of(found, recipe, options)
    rows = found.rows() if found is not None and found.paths is None else None
    # Not in the run directory of the job: a plan leaves nothing there.
    rows_dir = Scratch()
    text, document = _djhost.plan(
        call.recipe, call.options, rows, call.takes_result, rows_dir.path
    )
    return Plan(text, json.loads(document))


def check(recipe: RecipeLike, data: Any = None, **options: Any) -> list[Problem]:
    """Return the mistakes in a recipe, and with paths as `data` those in the dataset.

    >>> import djhost
    >>> [problem] = djhost.check([{"text_length_filter": {"min_len": "many"}}])
    >>> problem.path
    'process[0].text_length_filter.min_len'
    """
    options = merged(options)
    try:
        found = _given(data)
        call = _Call.of(found, recipe, options)
        looks = found is not None and found.paths is not None
        problems, _ = _djhost.check_recipe(call.recipe, call.options, looks)
    except (RecipeError, PluginError) as error:
        return error.problems
    return problems


class _Call(NamedTuple):
    """The arguments of a call as the native module takes them."""

    recipe: Union[None, str, dict[str, Any]]
    options: list[tuple[str, Any]]
    takes_result: bool
    scratch: Optional[Scratch]
    log_level: Optional[str]

    @classmethod
    def of(
        cls,
        found: Optional[Given],
        recipe: RecipeLike,
        options: Mapping[str, Any],
        scratch: Optional[Scratch] = None,
    ) -> "_Call":
        recipe = listed(recipe)
        plugins = plugins_of(recipe, options)
        plain = recipe_of(recipe)
        flat = options_of({**options, "plugins": plugins} if plugins else options)
        if found is not None and found.paths is not None:
            flat.append(("dataset_path", found.paths))
        known = json.loads(_djhost.given_options(plain, flat))
        takes_result = "export_path" not in known
        if scratch is None and not known.keys() & {"job_id", "resume", "work_dir", "export_path"}:
            scratch = Scratch()
            flat += [("work_dir", scratch.path), ("job_id", "job")]
        elif takes_result and "work_dir" not in known:
            flat.append(("work_dir", _WORK_DIR))
        return cls(plain, flat, takes_result, scratch, known.get("log_level"))


def start_job(
    data: Any,
    recipe: RecipeLike,
    options: Mapping[str, Any],
    scratch: Optional[Scratch] = None,
) -> Job:
    """Start a job. `scratch` is what holds its run directory if `options` name one that is temporary."""
    found = _given(data)
    call = _Call.of(found, recipe, options, scratch)
    in_memory = found is not None and found.paths is None

    def begin(rows: Any, options: list[tuple[str, Any]]) -> _djhost.Job:
        return _djhost.start(
            call.recipe,
            options,
            rows,
            call.takes_result,
            call.scratch is not None,
            call.log_level,
        )

    native = begin(found.rows() if found is not None and in_memory else None, call.options)

    def restart() -> _djhost.Job:
        # Rows in memory are in a file of the run directory by now.
        again = [*call.options, ("job_id", native.job_id)]
        if native.dataset:
            again.append(("dataset_path", str(native.dataset)))
        return begin(None, again)

    return Job(
        native,
        restart=restart,
        restore=found.restore if found is not None else None,
        scratch=call.scratch,
    )


def _run_splits(
    splits: Mapping[str, Any],
    recipe: RecipeLike,
    options: Mapping[str, Any],
    progress: Progress,
) -> Result:
    results: dict[str, Result] = {}
    for name, split in splits.items():
        own = dict(options)
        if "export_path" in own and len(splits) > 1:
            if "{split}" not in str(own["export_path"]):
                raise DataError(
                    f"export_path `{own['export_path']}` is one file, and there are {len(splits)} splits\n"
                    "  hint: write `{split}` into it"
                )
            own["export_path"] = str(own["export_path"]).replace("{split}", name)
        if "job_id" in own:
            own["job_id"] = f"{own['job_id']}_{name}"
        results[name] = start_job(split, recipe, own).wait(progress=progress)
    return SplitResult(results)


def _given(data: Any) -> Optional[Given]:
    return None if data is None else given(data)


# How arguments of `run` are called in a recipe.
_NAMES = {"text_key": "text_keys", "keep_stats": "keep_stats_in_res_ds"}


def merged(options: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Return all options that the caller gave."""
    found: dict[str, Any] = {}
    arguments = {**arguments, **{k: options[k] for k in _NAMES if k in options}}
    rest = {key: value for key, value in options.items() if key not in _NAMES}
    for name, value in arguments.items():
        if name == "plugins":
            value = [value] if isinstance(value, (str, os.PathLike)) else list(value)
            value = value or None
        if value is not None:
            found[_NAMES.get(name, name)] = value
    if isinstance(rest.get("plugins"), (str, os.PathLike)):
        rest["plugins"] = [rest["plugins"]]
    return {**found, **rest}
