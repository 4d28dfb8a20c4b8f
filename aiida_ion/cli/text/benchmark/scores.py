"""The scores of a benchmark as text, markdown, csv or JSON."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from aiida_ion.analysis.comparison.baselines import Score, Value
from aiida_ion.campaigns.obelix.scores import Pair, Scored, pair_table
from aiida_ion.cli.text import tables
from aiida_ion.cli.text.baselines import Group, baseline_lines, baseline_rows
from aiida_ion.cli.text.tables import Rows, number, text
from aiida_ion.datasets.obelix_paper import CONSTANTS, METHODS, ReportedErrors

PAPER = "As the paper scores: each level on what it has, a line through all temperatures, checked or not"
COMMON = "On common materials: a bound that holds is not an error, however wide"
NUMBERS = "On common materials that are numbers on both sides"
HEADINGS = {PAPER: "paper", COMMON: "common", NUMBERS: "common_numbers"}
SIGMA = "log10 sigma"
NOTHING = (
    "Nothing to score yet. Start with 'aiida-ion benchmark obelix', or link structures with 'aiida-ion benchmark link'."
)
PUBLISHED = (
    "Published rows are of the paper's 21 materials (arXiv:2603.28012): a constant, the median of what was measured, "
    "is nearer (2.65 decades) than both of its methods (4.11 and 4.10)."
)


def render(scored: Scored, style: str) -> str:
    """Return the scores in one of the four formats."""
    if style == "csv":
        return tables.csv_text(score_table(scored))
    if style == "json":
        return tables.json_text({"materials": pair_table(scored.pairs), "scores": score_table(scored)})
    if not scored.pairs:
        return "\n".join([NOTHING, *scored.notes])
    layout, heading = ("github", "## {}") if style == "markdown" else ("simple", "{}")
    parts = [heading.format("Computed beside measured"), tables.text_table(pair_rows(scored.pairs), layout)]
    parts += [heading.format(PAPER), tables.text_table(paper_rows(scored.paper), layout), PUBLISHED]
    for title, scores in ((COMMON, scored.common), (NUMBERS, scored.numbers)):
        rows = _without_words(baseline_rows(_groups(scores)))
        table = tables.text_table(rows, layout) if rows else "Fewer than three materials: no score."
        parts += [heading.format(title), table]
    lines = [*baseline_lines(_groups(scored.numbers)), *scored.notes]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in lines)]).rstrip()


def score_table(scored: Scored) -> pd.DataFrame:
    """Return every score, one per row; errors in decades."""
    rows = [
        {"scoring": "paper", "method": score.method, "published": is_published, "n_materials": score.n}
        | {"mae_decades": score.mae, "n_passed": score.n_passed, "mae_passed_decades": score.mae_passed}
        for is_published, scores in ((False, scored.paper), (True, (*METHODS, *CONSTANTS)))
        for score in scores
    ]
    rows += [
        {"scoring": HEADINGS[title], "method": score.name, "published": False, "is_baseline": score.is_baseline}
        | {"n_materials": score.n, "n_bounds": score.n_bounds, "mae_decades": score.mae, "rmse_decades": score.rmse}
        | {
            "bias_decades": score.bias,
            "spearman": score.spearman,
            "kendall": score.kendall,
            "coverage_ci95": score.coverage,
        }
        for title, scores in ((COMMON, scored.common), (NUMBERS, scored.numbers))
        for score in scores
    ]
    return pd.DataFrame(rows)


def pair_rows(pairs: Sequence[Pair]) -> Rows:
    """Return one line for each material and level of theory."""
    return [
        {
            "entry": text(pair.row["entry_id"]),
            "material": text(pair.row["formula"]),
            "level of theory": text(pair.row["level_of_theory"]),
            "measured (mS/cm)": _sigma(pair.stated),
            "bulk (mS/cm)": "-" if pair.bulk is pair.stated else _sigma(pair.bulk),
            "computed (mS/cm)": "-" if pair.computed is None else _sigma(pair.computed),
            "error (decades)": number(pair.error),
            "unchecked (mS/cm)": "-" if pair.without_motion_check is None else _sigma(pair.without_motion_check),
            "MSD passed": f"{pair.row['n_msd_passed'] or 0:.0f} of {pair.row['n_temperatures'] or 0:.0f}",
            "flags": ", ".join(_flags(pair)) or "-",
            "node": str(pair.row["process_pk"]),
        }
        for pair in pairs
    ]


def paper_rows(scores: Sequence[ReportedErrors]) -> Rows:
    """Return the errors as in the paper, then the published ones."""
    return [
        {
            "method": f"published: {one.method}" if is_published else one.method,
            "materials": str(one.n),
            "MAE (decades)": number(one.mae),
            "passed the check": "-" if one.n_passed is None else str(one.n_passed),
            "MAE of these": number(one.mae_passed),
        }
        for is_published, group in ((False, scores), (True, (*METHODS, *CONSTANTS)))
        for one in group
    ]


def _groups(scores: Sequence[Score]) -> list[Group]:
    return [Group("experiment", SIGMA, "decades", list(scores))] if scores else []


def _without_words(rows: Rows) -> Rows:
    """Return rows without the columns that are the same in each."""
    return [{key: value for key, value in row.items() if key not in ("quantity", "against")} for row in rows]


def _sigma(value: Value) -> str:
    """Return a conductivity with its interval, or its bound."""
    if value.is_bound:
        return f"< {number(10**value.value)}"
    edges = None if value.ci95 is None else [10**edge for edge in value.ci95]
    return tables.number_or_interval(10**value.value, edges)


def _flags(pair: Pair) -> list[str]:
    words = {"close_match": "similar composition", "partly_occupied": "occupancies rounded", "perturbed": "noise"}
    flags = [word for name, word in words.items() if pair.row[name]]
    return flags + ([str(pair.row["conductivity_kind"])] if pair.row["conductivity_kind"] else [])
