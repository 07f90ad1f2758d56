"""What notebooks show of answers about a job. Texts are escaped as in `_html`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from djhost._html import Cell, Raw, bar, escape, page, table, title, value_cell

if TYPE_CHECKING:
    from djhost._analysis import Analysis
    from djhost._explained import Explained
    from djhost._thresholds import WhatIf

# Pairs of filters that are shown.
_PAIRS = 10


def number(value: Any) -> str:
    """A number in a table: four digits that count."""
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4g}"
    return f"{value:,.0f}"


def what_if_html(found: WhatIf) -> str:
    """What other thresholds keep, as a bar for now and then."""
    rows: list[list[Cell]] = [
        ["now", found.stay_now, bar(found.stay_now / max(found.rows, 1))],
        ["then", found.stay, bar(found.stay / max(found.rows, 1))],
    ]
    ops: list[list[Cell]] = [[op["op"], op["name"], op["rows"], op["stay_now"], op["stay"]] for op in found.ops]
    parts: list[str] = [title("Other thresholds", f"of {found.rows:,} rows"), table(["", "stay", ""], rows, numbers=(1,))]
    parts.append(table(["#", "filter alone", "rows", "keeps", "would keep"], ops, numbers=(0, 2, 3, 4)))
    parts += [f'<div class="q">estimate: {escape(why)}</div>' for why in found.estimate]
    return page(*parts)


def explained_html(explained: Explained) -> str:
    """A row's way: a line for each thing that an op did."""
    document = explained.document
    rows: list[list[Cell]] = []
    for step in document["steps"]:
        for did in step["did"]:
            rows.append([step["op"], step["name"], str(did["fate"]), _did(did)])
    notes = [f'<div class="q">{escape(note)}</div>' for note in document["notes"]]
    return page(
        title(explained.place, _ENDS.get(explained.end, explained.end)),
        str(value_cell(document["text"])),
        table(["#", "op", "", ""], rows, numbers=(0,)),
        *notes,
    )


_ENDS = {"written": "in the result", "gone": "not in the result", "quarantined": "in quarantine", "unknown": "it is not known where"}


def _did(did: Mapping[str, Any]) -> Raw:
    lines: list[Raw] = []
    for stat in did.get("stats", ()):
        demand = f", demanded is {stat['demand']}" if stat["demand"] else ""
        lines.append(escape(f"{stat['stat']} is {_value(stat['value'])}{demand}"))
    for change in did.get("fields", ()):
        lines.append(Raw(f"{escape(change['field'])}: <del>{_cut(change['before'])}</del> <ins>{_cut(change['after'])}</ins>"))
    if did.get("partner"):
        partner = did["partner"]
        lines.append(escape(f"{partner['file']}:{partner['line']} stands for it"))
    if did.get("reason"):
        lines.append(escape(did["reason"]))
    if did.get("rows"):
        lines.append(escape(f"{did['rows']:,} rows"))
    return Raw("".join(f"<div>{line}</div>" for line in lines))


def _value(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _cut(text: str) -> Raw:
    return escape(text if len(text) <= 300 else f"{text[:300]}…")


def analysis_html(analysis: Analysis) -> str:
    """Stats with what filters would keep, suggested bounds, and what filters would drop together."""
    rows = analysis.rows
    stats: list[list[Cell]] = []
    for stat in analysis.stats:
        at = {round(share, 6): value for share, value in stat["percentiles"]}
        numbers = [stat["mean"], stat["min"], at.get(0.05), at.get(0.5), at.get(0.95), stat["max"]]
        kept = stat["kept"] / max(stat["count"], 1)
        stats.append([stat["key"], stat["name"], *map(number, numbers), f"{kept:.1%}", bar(kept)])
    parts: list[str] = [
        title("Analysis", f"{rows:,} rows, of which all filters together would keep {analysis.kept_by_all:,}"),
        table(["stat", "op", "mean", "min", "5 %", "50 %", "95 %", "max", "would keep", ""], stats, numbers=range(2, 9)),
    ]
    suggested: list[list[Cell]] = []
    for found in analysis.suggestions:
        params = ", ".join(f"{name}={value}" for name, value in found["params"].items())
        suggested.append([found["name"], Raw(f"<code>{escape(params)}</code>"), f"{found['share']:.1%}"])
    if suggested:
        keep = 100 * analysis.document["analysis"]["keep"]
        parts.append(title(f"To keep {keep:.4g} % of the rows", "each alone"))
        parts.append(table(["op", "bounds", "keeps"], suggested, numbers=(2,)))
    together = _together(analysis.document["analysis"]["overlap"])
    if together:
        parts += [title("Would drop"), table(["op", "rows", "only it", "mostly with"], together, numbers=(1, 2))]
    groups = analysis.groups
    if groups:
        head = [groups["field"], "rows", *(key for _, key in groups["stats"])]
        lines: list[list[Cell]] = [
            [str(group["value"]), group["rows"], *(number(stat[2]) if stat else "" for stat in group["stats"])]
            for group in groups["groups"]
        ]
        means = table(head, lines, numbers=range(1, len(head)))
        parts += [title(f"By {groups['field']}", "means"), f'<div style="overflow-x:auto">{means}</div>']
    if analysis.answer is not None:
        parts.append(what_if_html(analysis.answer))
    return page(*parts)


def _together(overlap: Mapping[str, Any]) -> list[list[Cell]]:
    lines: list[list[Cell]] = []
    for at, (_, name) in enumerate(overlap["ops"]):
        both = overlap["both"][at]
        if not both[at]:
            continue
        others = sorted(((n, overlap["ops"][i][1]) for i, n in enumerate(both) if i != at and n), reverse=True)
        with_ = f"{others[0][1]} ({others[0][0]:,})" if others else ""
        lines.append([name, both[at], overlap["alone"][at], with_])
    return sorted(lines, key=lambda line: -int(str(line[1])))[:_PAIRS]
