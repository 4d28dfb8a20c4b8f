"""The lower part of a material's page: runs of a result, their costs and extensions, jumps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import aria, card, empty_state, facts, figure_card, row, uuid_label
from aiida_ion.dashboards.figures.history import history_figure
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.numbers import grouped, short
from aiida_ion.dashboards.pages.material_result import Result
from aiida_ion.dashboards.state import View
from aiida_ion.queries import details
from aiida_ion.queries.job_runs import RUN_COLUMNS, runs_of
from aiida_ion.units import duration

RUNS, HISTORY = "material-runs", "material-history"
HIDDEN = ("run", "uuid", "trajectory_uuid", "exit_message")
#: Columns are sized to their content.
WIDTHS = {"autoSizeStrategy": {"type": "fitCellContents"}}
#: Order of columns, link first.
ORDER = ("pk", *(name for name in RUN_COLUMNS if name != "pk"), "href")
COST = {
    "n_jobs": "jobs",
    "n_steps": "steps",
    "steps_per_s": "steps/s",
    "n_atoms": "atoms",
    "peak_memory_MiB": "peak memory (MiB)",
    "peak_gpu_memory_MiB": "peak GPU memory (MiB)",
}
TIMES = {"wall_time_s": "wall time", "cpu_time_s": "CPU time", "gpu_time_s": "GPU time"}


def cards(shown: Result) -> list[Component]:
    """Return the cards."""
    beside = shown.beside
    rounds = details.history(beside["history"])
    side = [_cost_card(beside.get("cost"))]
    if not rounds.empty:
        figure = history_figure(rounds, theme=theme_named(shown.view.theme))
        words = "The error of D* after each round, and the target; runs continue where that helps."
        side.append(figure_card(HISTORY, "Rounds of extension", figure, note=words, height_px=360))
    jumps = [jumps_card(analysis) for analysis in beside["jumps"]]
    return [_runs_card(beside["process"]), row(*side), *([row(*jumps)] if jumps else [])]


def _runs_card(process: str | None) -> Component:
    table = runs_of(process) if process else pd.DataFrame()
    if table.empty:
        words = "Imported trajectories have no runs, and an export may leave runs out."
        return card("Seeds and segments", empty_state("There are no runs.", words))
    linked = table.assign(href=[View(uuid=str(uuid)).url("/provenance") for uuid in table["uuid"]])
    note = "All molecular-dynamics jobs of this result, with links to their provenance."
    shown: dict[str, Any] = {"columns": ORDER, "links": {"pk": "href"}, "hidden": HIDDEN, "options": WIDTHS}
    return table_card(RUNS, "Seeds and segments", linked, note=note, **shown)


def _cost_card(cost: Mapping[str, Any] | None) -> Component:
    if not cost:
        return card("Cost", empty_state("No cost is stored.", "Imported trajectories have none."))
    pairs: list[tuple[str, Any]] = [
        (label, duration(float(cost[name]))) for name, label in TIMES.items() if short(cost.get(name)) != "-"
    ]
    pairs += [(label, grouped(cost[name])) for name, label in COST.items() if short(cost.get(name)) != "-"]
    for name in ("device", "hardware"):
        words = cost.get(name)
        if words:
            pairs.append((name, ", ".join(map(str, words)) if isinstance(words, list) else str(words)))
    return card("Cost of the molecular dynamics", facts(pairs))


def jumps_card(analysis: Mapping[str, Any]) -> Component:
    """Return the jump analysis of one temperature: sites, occupancies, and jumps."""
    attributes = analysis["content"]
    heads = ("site", "number", "ions at each")
    sites = [
        (str(name), short(kind.get("n_sites")), short(kind.get("occupancy")))
        for name, kind in dict(attributes.get("site_kinds") or {}).items()
    ]
    types = [
        (f"{kind.get('start')} → {kind.get('destination')}", short(kind.get("distance_A")), short(kind.get("n_jumps")))
        for kind in list(attributes.get("jump_types") or [])[:12]
    ]
    pairs: list[tuple[str, Any]] = [
        ("jumps", short(attributes.get("n_jumps"), 6)),
        ("attempt frequency", f"{short(attributes.get('attempt_frequency_THz'))} THz"),
        ("jump diffusivity", f"{short(attributes.get('jump_diffusivity_cm2_s'))} cm²/s"),
        ("node", uuid_label(str(analysis["uuid"]))),
    ]
    title = f"Jumps, {str(analysis['label']).removeprefix('T_').replace('_', ' ')}"
    return card(title, facts(pairs), plain_table(heads, sites), plain_table(("jump", "length (Å)", "seen"), types))


def plain_table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Component:
    """Return a small table."""
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in heads]))
    body = html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows])
    named = aria(label=", ".join(heads))
    return html.Div(html.Table([head, body], className="plain", **named), className="scroll")
