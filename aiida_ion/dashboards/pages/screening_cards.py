"""Cards of one screening: funnel, what fell and why, ranking, cost, recall of the cuts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import card, control, empty_state, facts, figure_card, row, stat, stats, uuid_label
from aiida_ion.dashboards.figures.screening.funnel import cost_figure, funnel_figure
from aiida_ion.dashboards.figures.screening.funnel import height_px as funnel_height_px
from aiida_ion.dashboards.figures.screening.ranking import height_px as ranking_height_px
from aiida_ion.dashboards.figures.screening.ranking import ranking_figure, recall_figure
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.grids import grid, table_card
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.pages.material_runs import WIDTHS, plain_table
from aiida_ion.dashboards.state import View
from aiida_ion.queries import decisions, funnel
from aiida_ion.queries.cells import known
from aiida_ion.queries.screening.jobs import jobs_of
from aiida_ion.queries.screening.outcomes import fell, survivors
from aiida_ion.queries.screening.recall import known_of, ranking, recall
from aiida_ion.queries.screening.report import Report
from aiida_ion.units import duration

FUNNEL, COST, RANKING, RECALL = "screening-funnel", "screening-cost", "screening-ranking", "screening-recall"
SCORES, SCORED = "screening-scores", "screening-scored"
STAGE, RANKED, DECISIONS, FELL = "screening-stage", "screening-ranked", "screening-decisions", "screening-fell"
#: Columns of the grid of decisions, and those hidden by default.
COLUMNS = (
    *("formula", "name", "stage", "verdict", "reason", "quantity", "value", "value_low", "value_high", "cut_maximum"),
    *("cut_minimum", "core_s", "method", "goes_on", "structure_hash", "result_uuid", "material_href", "result_href"),
)
HIDDEN = ("name", "cut_maximum", "cut_minimum", "method", "goes_on", "structure_hash", "result_uuid")
HEADS = ("stage", "ranked by", "n", "conductors", "ROC-AUC, 95 %", "precision at top 10 %", "random", "Spearman, 95 %")


def decisions_of(pk: int) -> pd.DataFrame:
    """Return the decisions of a screening, with the addresses of materials and results."""
    return tables.derived(f"decisions {pk}", lambda: _linked(decisions(pk=pk)))


def _linked(table: pd.DataFrame) -> pd.DataFrame:
    material = [View(formula=name).url("/material") if isinstance(name, str) else "" for name in table["formula"]]
    evidence = table["result_uuid"].combine_first(table["structure_uuid"])
    result = [View(uuid=uuid).url("/provenance") if isinstance(uuid, str) else "" for uuid in evidence]
    return table.assign(material_href=material, result_href=result)


def funnel_of(pk: int) -> pd.DataFrame:
    """Return the stages of a screening."""
    return tables.derived(f"funnel {pk}", lambda: funnel(pk))


def summary_card(chosen: pd.Series[Any]) -> Component:
    """Return the numbers of a screening."""
    stages = funnel_of(int(chosen["pk"]))
    running = stages[stages["state"] == "running"]
    spent = float(stages["core_s"].sum())
    left = running["seconds_left_s"].dropna()
    numbers = stats(
        stat("materials", f"{int(chosen['n_materials']):,}"),
        stat("left", f"{int(chosen['n_survivors']):,}", _after(chosen)),
        stat("could not be judged", f"{int(chosen['n_errors']):,}"),
        stat("not reached", f"{int(chosen['n_not_reached']):,}", "by a budget"),
        stat("core time", duration(spent) if spent > 0 else "-"),
        stat("time left", f"≤ {duration(float(left.iloc[0]))}" if len(left) else "-", _stage_words(running)),
    )
    known_facts: list[tuple[str, Any]] = [("state", str(chosen["state"])), ("process", uuid_label(str(chosen["uuid"])))]
    if known(chosen["exit_message"]):
        known_facts.append(("because", str(chosen["exit_message"])))
    if isinstance(chosen["summary_uuid"], str):
        known_facts.append(("summary", uuid_label(chosen["summary_uuid"])))
    return card(str(chosen["screening"]), numbers, html.Div(facts(known_facts), className="below"))


def _after(chosen: pd.Series[Any]) -> str:
    return f"after {chosen['last_stage']}" if known(chosen["last_stage"]) else "no stage has ended"


def _stage_words(running: pd.DataFrame) -> str | None:
    return f"of {running['stage'].iloc[0]}" if len(running) else None


def funnel_cards(pk: int, theme_name: str | None) -> Component:
    """Return the funnel and the cost of each stage."""
    stages, theme = funnel_of(pk), theme_named(theme_name)
    cuts = [_cut_words(stage) for stage in stages.to_dict("records")]
    return row(
        figure_card(
            FUNNEL,
            "Funnel",
            funnel_figure(stages, theme=theme),
            note="; ".join(words for words in cuts if words) or "No stage has a cut.",
            height_px=funnel_height_px(stages),
        ),
        figure_card(
            COST,
            "Core time of each stage",
            cost_figure(stages, theme=theme),
            note="Spent by this screening; results that were known before cost it nothing.",
            height_px=funnel_height_px(stages),
        ),
    )


def _cut_words(stage: Mapping[Any, Any]) -> str:
    limits = [
        f"{words} {short(float(stage[name]))}"
        for name, words in (("cut_minimum", "≥"), ("cut_maximum", "≤"))
        if known(stage[name])
    ]
    return f"{stage['stage']}: {stage['quantity']} {' and '.join(limits)}" if limits else ""


def running_card(pk: int) -> list[Component]:
    """Return the processes that are running now; nothing if none is."""
    stages = [str(name) for name in funnel_of(pk)["stage"]]
    jobs = tables.derived(f"jobs of screening {pk}", lambda: jobs_of(pk, stages))
    active = jobs[jobs["active"]]
    if active.empty:
        return []
    rows = [
        (uuid_label(str(job["uuid"])), job["job_type"], job["stage"], str(job["n_materials"]), job["process_state"])
        for job in active.head(20).to_dict("records")
    ]
    more = f"and {len(active) - 20} more" if len(active) > 20 else None
    return [card("Running now", plain_table(("process", "kind", "stage", "materials", "state"), rows), note=more)]


def fell_card(pk: int) -> Component:
    """Return what fell at each stage, and why, as a table with filters."""
    table = tables.derived(f"fell {pk}", lambda: fell(decisions_of(pk)))
    if table.empty:
        return card("What fell, and why", empty_state("Nothing has fallen.", "Every material that was judged went on."))
    note = "Reasons that differ only in the numbers of a material are one line; the values of these are from the first "
    return table_card(
        FELL, "What fell, and why", table, note=f"{note}to the last column of values.", row_id=None, options=WIDTHS
    )


def ranked_cards(pk: int, stage: str | None, theme_name: str | None) -> list[Component]:
    """Return the ranking of what went on from a stage."""
    rows = decisions_of(pk)
    table = survivors(rows, stage)
    judged = rows[rows["stage"] == stage] if stage else rows.tail(1)
    cut = tuple(_number(judged[name]) for name in ("cut_minimum", "cut_maximum"))
    figure = ranking_figure(table, theme=theme_named(theme_name), cut=(cut[0], cut[1]))
    words = (
        f"{len(table):,} went on; bars are intervals, arrows open ones. Materials whose bars overlap may rank either "
    )
    return [figure_card(RANKING, "Ranking", figure, note=f"{words}way.", height_px=ranking_height_px(table))]


def _number(column: pd.Series[Any]) -> float | None:
    values = column.astype(float).dropna()
    return float(values.iloc[0]) if len(values) else None


def ranking_choice(pk: int, stage: str | None, theme_name: str | None) -> Component:
    """Return the ranking under the choice of its stage."""
    names = judged_stages(pk)
    if not names:
        return card("Ranking", empty_state("No stage has ended.", "The ranking appears with the first decisions."))
    chosen = stage if stage in names else names[-1]
    radio = dcc.RadioItems([{"label": name, "value": name} for name in names], chosen, id=STAGE, className="inline")
    body = html.Div(ranked_cards(pk, chosen, theme_name), id=RANKED, className="page")
    return html.Div([html.Div(control("Stage", radio), className="filters"), body], className="page")


def judged_stages(pk: int) -> list[str]:
    """Return the names of the stages that have ended."""
    stages = funnel_of(pk)
    return [str(name) for name in stages.loc[stages["state"] == "ended", "stage"]]


def recall_cards(pk: int, theme_name: str | None) -> Component:
    """Return what the cuts did to measured materials; the scores of the ranking follow by a callback."""
    known_rows = tables.derived(f"known {pk}", lambda: known_of(pk))
    title = "Recall of the cuts on known conductors"
    if known_rows.empty:
        words = "Link measurements to crystals of this screening, as aiida-ion benchmark does for OBELiX."
        return card(title, empty_state("No material of this screening has a measured conductivity.", words))
    kept = tables.derived(f"recall {pk}", lambda: recall(known_rows))
    note = "A conductor has at least 0.1 mS/cm at room temperature. Bars are Wilson's 95 % intervals."
    figure = recall_figure(kept, theme=theme_named(theme_name))
    lost = [(f"lost at {row['stage']}", str(row["lost"])) for row in kept.to_dict("records") if known(row["lost"])]
    words = "Intervals are of resampled materials. Baselines are in parentheses: a stage that does not beat them ranks "
    scores = dcc.Loading(html.Div(id=SCORES), type="dot", delay_show=300)
    return html.Div(
        [
            dcc.Store(SCORED, data=pk),
            figure_card(RECALL, title, figure, note=note, height_px=funnel_height_px(kept)),
            card("Ranking of measured materials", scores, facts(lost), note=f"{words}no better than they do."),
        ],
        className="page",
    )


def scores_of(pk: int) -> Component:
    """Return how well each quantity ranks the measured materials, beside baselines; takes seconds the first time."""
    known_rows = tables.derived(f"known {pk}", lambda: known_of(pk))
    table = tables.derived(f"ranking {pk}", lambda: ranking(known_rows, mobile_species(pk)))
    if table.empty:
        return empty_state("No stage ranks them yet.", "Scores appear with the first stage that has a quantity.")
    return plain_table(HEADS, [_score_cells(score) for score in table.to_dict("records")])


def mobile_species(pk: int) -> str | None:
    """Return the element that is to move in a screening, as far as it says."""
    made = tables.derived(f"mobile species {pk}", lambda: pd.DataFrame({"element": [Report(pk).mobile_species]}))
    element = made["element"].iloc[0]
    return element if isinstance(element, str) else None


def _score_cells(score: Mapping[Any, Any]) -> tuple[Any, ...]:
    name = f"({score['name']})" if score["is_baseline"] else str(score["name"])
    counts = (str(score["stage"]), name, str(score["n"]), str(score["n_conductors"]))
    random = short(score["random_precision_top"], 2)
    return (
        *counts,
        _score(score, "roc_auc"),
        _score(score, "average_precision_top"),
        random,
        _score(score, "spearman"),
    )


def _score(score: Mapping[Any, Any], name: str) -> str:
    if not known(score[name]):
        return "-"
    return f"{score[name]:.2f} [{score[f'{name}_ci95_low']:.2f}, {score[f'{name}_ci95_high']:.2f}]"


def decisions_card(pk: int, view: View) -> Component:
    """Return every decision, requested in blocks."""
    table = decisions_of(pk)
    shown = grid(
        DECISIONS,
        table[list(COLUMNS)],
        view,
        hidden=HIDDEN,
        links={"formula": "material_href", "verdict": "result_href"},
        row_id=None,
        height_px=520,
        on_request=True,
    )
    words = (
        "Filter a column by its menu. A formula leads to the page of the material, a verdict to the result. As csv: "
    )
    command = html.Code(f"aiida-ion screen status {pk} --format csv")
    return card("Decisions", shown, note=[words, command])
