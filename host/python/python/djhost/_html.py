"""What notebooks show. Colours come from the page or are half transparent, so that dark and light themes can be read; every text
is escaped, since rows and recipes are other people's."""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from djhost.ops._schema import default_text, is_limit, type_text, value_text

if TYPE_CHECKING:
    from djhost import Job, Plan, Result
    from djhost._recipes import Recipe
    from djhost.ops import Description, Op

#: Rows of a result, and characters of a value, that are shown.
ROWS = 10
CHARACTERS = 300

# `div.djhost.djhost` counts for more than what Jupyter says about tables.
_STYLE = """<style>
div.djhost.djhost{font-size:13px;line-height:1.45;color:inherit}
div.djhost.djhost table{font-size:inherit;border-collapse:collapse;margin:.3em 0 .6em;color:inherit;background:transparent;border:0}
div.djhost.djhost tr{background:transparent}
div.djhost.djhost th,div.djhost.djhost td{padding:.2em .7em;border:0;border-bottom:1px solid rgba(128,128,128,.35);text-align:left;vertical-align:top;background:transparent;color:inherit;max-width:none}
div.djhost.djhost th{font-weight:600}
div.djhost.djhost .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
div.djhost.djhost .s{border:0;vertical-align:middle;text-align:left;white-space:nowrap}
div.djhost.djhost .t{white-space:pre-wrap;overflow-wrap:anywhere;max-width:44em}
div.djhost.djhost .q{opacity:.75}
div.djhost.djhost code,div.djhost.djhost pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px;background:transparent;color:inherit;padding:0}
div.djhost.djhost pre{white-space:pre-wrap;margin:.3em 0 .6em}
div.djhost.djhost .b{position:relative;display:block;min-width:9em;height:1.15em;background:rgba(128,128,128,.2);border-radius:2px;overflow:hidden}
div.djhost.djhost .b i{position:absolute;left:0;top:0;bottom:0;background:rgba(52,132,228,.66);border-radius:2px}
div.djhost.djhost summary{cursor:pointer}
</style>"""


class Raw(str):
    """HTML that is already safe."""


Cell = Union[str, int, None]


def escape(value: Any) -> Raw:
    """Any text as HTML; what could end an element, an attribute or a script is not left in it."""
    return Raw(html.escape(str(value), quote=True))


def page(*parts: str) -> str:
    """The parts in an element of their own, with the style."""
    return f'{_STYLE}<div class="djhost">{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: Sequence[int] = ()) -> Raw:
    """A table; columns in ``numbers`` are aligned to the right, and whole numbers in them grouped by thousands."""
    out = ["<table><thead><tr>"]
    out += [f'<th{_class(i, numbers)}>{escape(name)}</th>' for i, name in enumerate(head)]
    out.append("</tr></thead><tbody>")
    for row in rows:
        out += ["<tr>", *(f"<td{_class(i, numbers)}>{_cell(cell)}</td>" for i, cell in enumerate(row)), "</tr>"]
    out.append("</tbody></table>")
    return Raw("".join(out))


def _class(column: int, numbers: Sequence[int]) -> str:
    return ' class="n"' if column in numbers else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, Raw):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return "" if cell is None else escape(cell)


def title(text: str, note: str = "") -> Raw:
    """A heading, with a quiet note beside it."""
    quiet = f' <span class="q">{escape(note)}</span>' if note else ""
    return Raw(f"<div><b>{escape(text)}</b>{quiet}</div>")


def bar(share: float) -> Raw:
    """A bar that is ``share`` (0 to 1) full."""
    percent = 100 * min(max(share, 0.0), 1.0)
    return Raw(f'<span class="b"><i style="width:{percent:.1f}%"></i></span>')


def value_cell(value: Any) -> Raw:
    """A value of a row: text as it is, anything else as JSON; long ones are cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > CHARACTERS:
        text = f"{text[:CHARACTERS]}… ({len(text):,} characters)"
    return Raw(f'<div class="t">{escape(text)}</div>')


def rows_table(rows: Sequence[Mapping[str, Any]]) -> Raw:
    """The first rows as a table with a column for each field that one of them has."""
    fields = list(dict.fromkeys(field for row in rows for field in row))
    cells = [[value_cell(row[field]) if field in row else Raw("") for field in fields] for row in rows]
    return table(fields, cells)


def funnel(read: int, ops: Iterable[Mapping[str, Any]]) -> Raw:
    """How many rows are left after each op. Each op has ``name``, ``rows_in`` and ``rows_out``."""
    steps = [(str(op["name"]), int(op["rows_in"]), int(op["rows_out"])) for op in ops]
    most = max([read, *(out for _, _, out in steps), 1])
    rows: list[list[Cell]] = [["read", Raw(""), read, Raw(""), bar(read / most)]]
    for i, (name, before, after) in enumerate(steps):
        change = f"{after - before:+,}" if after != before else ""
        rows.append([name, i, after, change, bar(after / most)])
    return table(["", "op", "rows", "", ""], rows, numbers=(1, 2, 3))


def live_line(live: dict[str, Any]) -> Raw:
    """How far a job is, from what `Job.live` returned: a bar, and the words of the line on a terminal."""
    from djhost._progress import line_of

    share = live["bytes_read"] / live["bytes"] if live["bytes"] else 1.0
    # Wide enough for all of its parts.
    said = line_of(live, 200).split("] ", 1)[-1].strip()
    return progress_line(share, said.replace("  ", " · "))


def progress_line(share: float, said: str) -> Raw:
    """A bar, and what is said beside it."""
    return Raw(f'<table><tr><td class="s">{bar(share)}</td><td class="s">{escape(said)}</td></tr></table>')


def go_on(note: str) -> Raw:
    """How a job is continued."""
    code = escape(note.replace("`", ""))
    return Raw(f"<div>to go on: <code>{code}</code></div>")


def result_html(result: Result) -> str:
    """Where the rows went, and the first of them."""
    ledger = result.ledger
    note = f"{ledger['output']:,} of {ledger['read']:,} rows"
    if ledger["quarantined"]:
        note += f", {ledger['quarantined']:,} in quarantine"
    rows = list(itertools.islice(result, ROWS))
    parts: list[str] = [title("Result", note), *_funnels(result), rows_table(rows)]
    if ledger["output"] > len(rows):
        parts.append(f'<div class="q">the first {len(rows)} of {ledger["output"]:,} rows</div>')
    parts.append(f'<div class="q">{escape(result.path)}</div>')
    return page(*parts)


def _funnels(result: Result) -> list[str]:
    splits = getattr(result, "splits", None)
    if splits is None:
        return [funnel(result.ledger["read"], result.ops)]
    return [part for name, split in splits.items() for part in (title(name), *_funnels(split))]


def plan_html(plan: Plan) -> str:
    """A plan: its ops with what they read and make, and the whole text to unfold."""
    configs = {node["operation_idx"]: node["config"] for node in plan.document["nodes"].values()}
    rows: list[list[Cell]] = []
    for op in plan.document["operations"]:
        index = op["operation_idx"]
        own = {name: value for name, value in configs.get(index, {}).items() if name not in _OF_EVERY_OP}
        makes = [*_paths(op["writes"]), *(f"stat {path}" for path in _paths(op["writes_stats"]))]
        rows.append([index, op["operation_name"], _params_code(own), ", ".join(_paths(op["reads"])), ", ".join(makes)])
    count = plan.document["partitions"]["count"]
    return page(
        title("Plan", f"{count} partition{'' if count == 1 else 's'}"),
        table(["#", "operator", "parameters", "reads", "makes"], rows, numbers=(0,)),
        f"<details><summary>everything</summary><pre>{escape(plan.text)}</pre></details>",
    )


#: What the host adds to the parameters of every operator.
_OF_EVERY_OP = {
    "text_key",
    "image_key",
    "image_bytes_key",
    "audio_key",
    "video_key",
    "min_closed_interval",
    "max_closed_interval",
    "reversed_range",
    "seed",
}


def _paths(fields: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(field["path"]) for field in fields]


def job_html(job: Job) -> str:
    """A job: its state and how far it is."""
    parts: list[str] = [title(f"job {job.job_id}: {job.status}", str(job.run_dir))]
    live = job.live()
    if live is not None:
        parts.append(live_line(live))
    if job.status == "stopped":
        parts.append(go_on(job.how_to_go_on()))
    return page(*parts)


def op_html(op: Op) -> str:
    """An entry of a recipe."""
    params = [[name, value_cell(value)] for name, value in op.params.items()]
    return page(title(op.name, "" if params else "without parameters"), table(["parameter", "value"], params) if params else "")


def recipe_html(recipe: Recipe) -> str:
    """A recipe: its operators, then its options."""
    ops: list[list[Cell]] = [[i, op.name, _params(op)] for i, op in enumerate(recipe)]
    parts: list[str] = [title("Recipe"), table(["#", "operator", "parameters"], ops, numbers=(0,))]
    if recipe.options:
        parts.append(table(["option", "value"], [[key, value_cell(value)] for key, value in recipe.options.items()]))
    return page(*parts)


def _params(op: Op) -> Raw:
    return _params_code(op.params)


def _params_code(params: Mapping[str, Any]) -> Raw:
    if not params:
        return Raw("")
    return Raw(f"<code>{escape(', '.join(f'{name}={_value(value)}' for name, value in params.items()))}</code>")


def _value(value: Any) -> str:
    return "no limit" if is_limit(value) else value_text(value)


def description_html(description: Description) -> str:
    """All that is known of an operator."""
    params = [[p.name, type_text(p.type), default_text(p).removeprefix("default "), p.doc] for p in description.params]
    parts: list[str] = [title(description.name, f"{description.kind}, {description.cost} work per row, {description.source}")]
    parts.append(f"<div>{escape(description.summary)}</div>")
    parts.append(table(["parameter", "type", "default", ""], params) if params else '<div class="q">no parameters</div>')
    if description.signature:
        named = {what: ", ".join(f"{path} ({kind})" for path, kind in description.fields(what)) for what in ("reads", "writes", "stats")}
        parts.append(table(list(named), [[text or "nothing" for text in named.values()]]))
    if description.example:
        parts.append(f"<pre>{escape(chr(10).join(description.example_lines()))}</pre>")
    return page(*parts)


def operators_html(operators: Iterable[Description]) -> str:
    """A list of operators."""
    return page(table(["operator", "kind", ""], [[d.name, d.kind, d.summary] for d in operators]))


def chain_html(steps: Sequence[str], plan: Callable[[], Any]) -> str:
    """A chain: its steps, and its plan or why there is none."""
    code = f"<pre>{escape(chr(10).join(steps))}</pre>"
    try:
        return page(code) + str(plan()._repr_html_())
    except Exception as error:  # A notebook would show nothing at all.
        return page(code, f"<pre>no plan: {escape(error)}</pre>")
