"""A screening as text: its funnel, what fell and why, the ranking of what is left, and the recall of its cuts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.cli.text.tables import duration, number, percent, text, text_table
from aiida_ion.queries.cells import known, records
from aiida_ion.queries.screening.funnel import ENDED, RUNNING, WAITING

#: Longest bar of a funnel, characters.
BAR = 30
#: Most lines of reasons for each stage, and of materials.
MOST_REASONS, MOST_SURVIVORS = 4, 20
LETTERS = {"fail": "fail", "error": "error", "unsure": "unsure", "not_reached": "not reached"}


def funnel_lines(table: pd.DataFrame) -> list[str]:
    """Return a line with a bar for each stage, and one with its counts, cut and cost.

    :param table: of :func:`aiida_ion.queries.funnel`.
    """
    most = max((int(n) for n in table["n_materials"].dropna()), default=0)
    width = max((len(str(name)) for name in table["stage"]), default=0)
    lines = []
    for row in records(table):
        entered, on = row["n_materials"], row["n_goes_on"]
        bar = _bar(entered if on is None else on, entered, most)
        flow = "" if entered is None else str(entered) if on is None else f"{entered} -> {on}"
        lines.append(f"{text(row['stage']):<{width}}  {bar:<{BAR}}  {flow}".rstrip())
        lines.append(f"{'':<{width}}  {_about(row)}")
    return lines


def _bar(kept: int | None, entered: int | None, most: int) -> str:
    """Return a bar: what went on as #, what the stage dropped as dots."""
    if not entered or not most:
        return ""
    length = max(1, round(BAR * entered / most))
    full = round(length * (kept or 0) / entered)
    return "#" * (max(full, 1) if kept else 0) + "." * (length - (max(full, 1) if kept else 0))


def _about(row: Mapping[str, Any]) -> str:
    parts = [text(row["method"])]
    if row["quantity"] is not None:
        parts.append(cut_words(row))
    if row["state"] == RUNNING:
        parts.append(_progress(row))
    elif row["state"] != ENDED:
        parts.append("waiting" if row["state"] == WAITING else "not reached: no material was left")
    else:
        names = ("pass", "unsure", "fail", "error", "not_reached")
        counts = [f"{row[f'n_{name}']} {name.replace('_', ' ')}" for name in names if row[f"n_{name}"]]
        parts.append(", ".join(counts) or "no material was judged")
    if known(row["core_s"]) and row["core_s"]:
        parts.append(f"{duration(row['core_s'])} of cores")
    return "; ".join(parts)


def _progress(row: Mapping[str, Any]) -> str:
    words = f"running: {row['n_computed']} of {row['n_materials']} materials in ended jobs, {row['n_running']} in "
    words += f"{row['n_jobs_running']} that run"
    if known(row["max_materials"]):
        words += f", at most {number(row['max_materials'])} by its budget"
    if known(row["seconds_left_s"]):
        words += f"; at most {duration(row['seconds_left_s'])} left"
    return words


def cut_words(row: Mapping[str, Any]) -> str:
    """Return the cut of a stage, such as ``barrier_1d_eV at most 0.6``."""
    limits = [
        f"{words} {number(row[name])}"
        for name, words in (("cut_minimum", "at least"), ("cut_maximum", "at most"))
        if known(row[name])
    ]
    return f"{text(row['quantity'])} {' and '.join(limits)}".rstrip()


def fell_lines(table: pd.DataFrame, most: int = MOST_REASONS) -> list[str]:
    """Return what fell at each stage and why, the most frequent reasons first.

    :param table: of :func:`aiida_ion.queries.screening.outcomes.fell`.
    """
    lines: list[str] = []
    for stage, rows in table.groupby("stage", sort=False):
        for row in records(rows.head(most)):
            values = ""
            if known(row["value_low"]) and row["n_materials"] > 1:
                values = f" ({number(row['value_low'])} to {number(row['value_high'])})"
            verdict = LETTERS.get(str(row["verdict"]), text(row["verdict"]))
            lines.append(f"{stage}: {row['n_materials']} {verdict}: {text(row['reason'])}{values}")
            lines.append(f"  {row['examples']}")
        if len(rows) > most:
            rest = int(rows["n_materials"].iloc[most:].sum())
            lines.append(f"{stage}: {rest} for {len(rows) - most} other reasons")
    return lines


def survivor_lines(table: pd.DataFrame, most: int = MOST_SURVIVORS) -> list[str]:
    """Return the ranking of what went on, with intervals and possible ranks.

    :param table: of :func:`aiida_ion.queries.screening.outcomes.survivors`.
    """
    if table.empty:
        return ["none"]
    quantity = next((str(name) for name in table["quantity"] if known(name)), "value")
    rows = [
        {
            "rank": _rank(row),
            "material": text(row["formula"]),
            "name": text(row["name"]),
            quantity: value_words(row),
            "verdict": text(row["verdict"]),
            "result": text(row["result_uuid"])[:8],
        }
        for row in records(table.head(most))
    ]
    lines = text_table(rows).splitlines()
    return lines + ([f"and {len(table) - most} more"] if len(table) > most else [])


def _rank(row: Mapping[str, Any]) -> str:
    best, worst = row["rank_best"], row["rank_worst"]
    return str(row["rank"]) if best == worst else f"{row['rank']} ({best} to {worst})"


def value_words(row: Mapping[str, Any]) -> str:
    """Return a value with its interval, or the edges that are known."""
    low, high = row["value_low"], row["value_high"]
    if known(row["value"]):
        is_exact = low == high == row["value"] or not (known(low) and known(high))
        return number(row["value"]) if is_exact else f"{number(row['value'])} [{number(low)}, {number(high)}]"
    if known(high) and not known(low):
        return f"< {number(high)}"
    if known(low) and not known(high):
        return f"> {number(low)}"
    return f"[{number(low)}, {number(high)}]" if known(low) or known(high) else "-"


def recall_lines(table: pd.DataFrame, limit_mS_cm: float) -> list[str]:
    """Return for each stage how many conductors with a measured conductivity its cut kept.

    :param table: of :func:`aiida_ion.queries.screening.recall.recall`.
    """
    lines = []
    for row in records(table):
        interval = f" [{percent(row['recall_ci95_low'])}, {percent(row['recall_ci95_high'])}]"
        words = f"{row['n_conductors_kept']} of {row['n_conductors']} conductors kept: {percent(row['recall'])}"
        words = words + interval if known(row["recall"]) else "no known conductor reached it"
        others = f"; {row['n_others_kept']} of {row['n_others']} other materials kept" if row["n_others"] else ""
        lost = f"; lost: {row['lost']}" if known(row["lost"]) else ""
        lines.append(f"{row['stage']}: {words}{others}{lost}")
    n_matched = int(table["n_by_composition"].max()) if len(table) else 0
    note = f"measured at least {limit_mS_cm:g} mS/cm at room temperature; intervals are 95 %"
    by_composition = f"; {n_matched} known by their composition alone" if n_matched else ""
    return [*lines, f"({note}{by_composition})"] if lines else []


def ranking_lines(table: pd.DataFrame) -> list[str]:
    """Return how well each quantity ranks materials with a measured conductivity, beside baselines.

    :param table: of :func:`aiida_ion.queries.screening.recall.ranking`.
    """
    rows = [
        {
            "stage": text(row["stage"]),
            "ranked by": f"({row['name']})" if row["is_baseline"] else text(row["name"]),
            "n": f"{row['n']} ({row['n_conductors']} conduct)",
            "ROC-AUC": _score(row, "roc_auc"),
            "precision at top 10 %": _score(row, "average_precision_top"),
            "random": number(row["random_precision_top"], 2),
            "Spearman": _score(row, "spearman"),
        }
        for row in records(table)
        if known(row["roc_auc"]) or known(row["spearman"])
    ]
    return text_table(rows).splitlines() if rows else []


def _score(row: Mapping[str, Any], name: str) -> str:
    if not known(row[name]):
        return "-"
    return f"{row[name]:.2f} [{row[f'{name}_ci95_low']:.2f}, {row[f'{name}_ci95_high']:.2f}]"


def job_lines(table: pd.DataFrame) -> list[str]:
    """Return a line for each process of a screening that is running now.

    :param table: of :func:`aiida_ion.queries.screening.jobs.jobs_of`.
    """
    return [
        f"{row['pk']}  {row['job_type']}  {text(row['stage'])}: {row['n_materials']} "
        f"{'material' if row['n_materials'] == 1 else 'materials'}, {text(row['process_state'])}"
        for row in records(table[table["active"]])
    ]
