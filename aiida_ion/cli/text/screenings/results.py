"""What `aiida-ion show` says of a screening, of decisions, and of percolation barriers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.cli.text.screenings.funnel import (
    cut_words,
    fell_lines,
    funnel_lines,
    job_lines,
    recall_lines,
    survivor_lines,
    value_words,
)
from aiida_ion.cli.text.tables import entries, number, sentences, text, text_table
from aiida_ion.queries.reading.kinds import Attributes, read_attributes, read_number
from aiida_ion.queries.screening.decisions import SCREENING
from aiida_ion.queries.screening.report import Report

DIMENSIONS = ("one", "two", "three")
#: Most decisions that are printed.
MOST = 40


def screening_sections(node: orm.Node) -> list[str]:
    """Return the funnel of a screening, and the parts below it; nothing for another node."""
    if not isinstance(node, orm.ProcessNode) or node.process_type != SCREENING:
        return []
    report = Report(int(node.pk or 0))
    sections = (
        ("Funnel", funnel_lines(report.funnel)),
        ("Running now", job_lines(report.jobs)),
        ("What fell, and why", fell_lines(report.fell)),
        ("What is left, the best first", survivor_lines(report.survivors)),
        ("Known conductors", recall_lines(report.recall, report.limit_mS_cm)),
    )
    return [line for title, lines in sections if lines for line in ("", f"{title}:", *(f"  {one}" for one in lines))]


def decision_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return the decisions of a stage, those that failed last."""
    cut = {"quantity": attributes.get("quantity")}
    cut |= {f"cut_{name}": read_number(attributes.get(name)) for name in ("minimum", "maximum")}
    made = [read_attributes(entry) for entry in entries(attributes.get("decisions"))]
    counts = Counter(text(entry["verdict"]) for entry in made)
    lines = [
        f"stage {text(attributes.get('stage'))} ({text(attributes.get('method'))}), {cut_words(cut)}",
        ", ".join(f"{number_of} {verdict}" for verdict, number_of in counts.most_common()) or "no decisions",
    ]
    order = {"pass": 0, "unsure": 1, "fail": 2}
    made.sort(key=lambda entry: order.get(text(entry["verdict"]), 3))
    table = [
        {
            "material": text(entry["name"]),
            "verdict": text(entry["verdict"]),
            "value": value_words(_judged(entry)),
            "reason": text(entry["reason"]),
            "result": text(entry["result_uuid"])[:8],
        }
        for entry in made[:MOST]
    ]
    lines += text_table(table).splitlines() if table else []
    return lines + ([f"and {len(made) - MOST} more"] if len(made) > MOST else [])


def _judged(entry: Attributes) -> dict[str, Any]:
    names = {"value": "value", "low": "value_low", "high": "value_high"}
    return {column: read_number(entry[name]) for name, column in names.items()}


def barrier_lines(attributes: Mapping[str, Any]) -> list[str]:
    """Return the percolation barriers of a crystal, with their intervals."""
    read = read_attributes(attributes)
    lines = [f"{text(read['mobile_species'])}, {text(read['method'])}: {text(read['status'] or 'finished')}"]
    if read["message"]:
        lines.append(text(read["message"]))
    values, intervals = read["barriers_eV"], read["barriers_interval_eV"]
    for place, words in enumerate(DIMENSIONS):
        value = read_number(_at(values, place))
        edges = [read_number(_at(_at(intervals, place), end)) for end in (0, 1)]
        if value is not None:
            shown = value_words({"value": value, "value_low": edges[0], "value_high": edges[1]})
            lines.append(f"percolation barrier in {words} dimension{'s' if place else ''}: {shown} eV")
        elif isinstance(values, list):
            lines.append(f"no pathway in {words} dimension{'s' if place else ''}")
    if read["zero"]:
        lines.append(f"energies from: {text(read['zero'])}")
    cost = read_attributes(read["cost"])
    if read_number(cost["cpu_s"]) is not None:
        lines.append(f"cost: {number(cost['cpu_s'])} s of CPU time")
    return lines + [f"NOTE {sentence}" for sentence in sentences(read["caveats"])]


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and len(values) > place else None
