"""What was made with a trained potential: watched runs, diffusivities before and after, and the way from its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.components import card, control, empty_state, figure_card, page_link, uuid_label
from aiida_ion.dashboards.figures.before_after import before_after_figure
from aiida_ion.dashboards.figures.theme import empty_figure, theme_named
from aiida_ion.dashboards.figures.watched_run import watch_figure
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.numbers import grouped
from aiida_ion.dashboards.potential_rows import side_rows, watch_facts
from aiida_ion.dashboards.serving.origins import with_archives
from aiida_ion.dashboards.state import View
from aiida_ion.queries.cells import known
from aiida_ion.queries.details import diffusion_attributes
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.training.arrays import watch_arrays
from aiida_ion.queries.training.trained import (
    conductivities_of,
    results_at,
    results_of,
    results_of_weights,
    runs_with,
    watches_of,
)

WATCH, WATCHED, RUN, BEFORE = "potentials-watch", "potentials-watched", "potentials-run", "potentials-before"
#: Most runs and results that are named one by one.
MOST = 12


@dataclass(frozen=True)
class Made:
    """Runs that loaded a potential, their fits, the conductivities these went into, and what was watched."""

    runs: pd.DataFrame
    results: pd.DataFrame
    conductivities: pd.DataFrame
    watches: pd.DataFrame


NOTHING = Made(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), pd.DataFrame())


def what_was_made(chosen: pd.Series[Any]) -> Made:
    """Return what was made with the potential of a training; asked again only when the database has changed."""
    uuid, sha256 = chosen["potential_uuid"], chosen["sha256"]
    if not isinstance(uuid, str):
        return NOTHING
    runs = tables.derived(f"runs {uuid}", lambda: runs_with([uuid], sha256 if isinstance(sha256, str) else None))
    pks = [int(pk) for pk in runs["pk"]]
    results = tables.derived(f"results {uuid}", lambda: results_of(pks))
    fits = [int(pk) for pk in results["pk"]]
    conductivities = tables.derived(f"conductivities {uuid}", lambda: conductivities_of(fits))
    return Made(runs, results, conductivities, tables.derived(f"watches {uuid}", lambda: watches_of(pks)))


def watch_card(view: View, made: Made) -> Component:
    """Return the watched runs, one of which is drawn."""
    title = "Runs against the training frames"
    if made.watches.empty:
        words = "A run is watched by ion.watch, which a student does with each of its own."
        return card(title, empty_state("No run of this potential was watched.", words))
    options = [{"label": _words_of(watch), "value": watch["uuid"]} for watch in made.watches.to_dict("records")]
    choice = dcc.Dropdown(options, chosen_watch(view, made), id=RUN, clearable=False)
    shown = html.Div(watched(view, made), id=WATCHED, className="page")
    return html.Div([html.Div(control("Watched run", choice), className="filters"), shown], className="page")


def _words_of(watch: dict[Any, Any]) -> str:
    """Return when a run was watched, and how many of its frames are flagged, as far as that is stored."""
    flagged, frames = (grouped(watch[name]) if known(watch[name]) else "?" for name in ("n_flagged", "n_frames"))
    when = f"{watch['time']:%d %b %Y %H:%M}" if known(watch["time"]) else "unknown time"
    return f"{when}, {flagged} of {frames} frames flagged"


def chosen_watch(view: View, made: Made) -> str:
    """Return the watched run in the address, else the newest."""
    asked, here = view.option("run"), list(made.watches["uuid"])
    return asked if asked in here else str(here[0])


def watched(view: View, made: Made) -> list[Component]:
    """Return the figure of one watched run."""
    uuid, theme = chosen_watch(view, made), theme_named(view.theme)
    try:
        attributes, arrays = watch_arrays(uuid)
        bound = read_number(attributes.get("environment_bound"))
        figure = watch_figure(arrays, *watch_facts(attributes), theme=theme, environment_bound=bound)
    except ValueError as error:
        figure = empty_figure(theme, str(error))
    words = "Dashed: the bounds, from frames that were not trained on. Crosses are flagged frames. "
    title = "Run against the training frames"
    return [figure_card(WATCH, title, figure, note=[html.Span(words), uuid_label(uuid)], height_px=560)]


def before_after_card(chosen: pd.Series[Any], made: Made, theme_name: str | None) -> Component:
    """Return the diffusivities of the potential beside those of its parent and of its labels."""
    theme, title = theme_named(theme_name), "Diffusivity before and after"
    if made.results.empty:
        words = "Register it as an engine, and run the crystal with it and with its parent."
        command = "aiida-ion potential register TRAINING NAME" if tables.changes() else None
        return card(title, empty_state("No diffusivity was computed with this potential.", words, command))
    formulas = sorted({formula for formula in made.results["formula"] if isinstance(formula, str)})
    parent, level = chosen["parent_sha256"], level_of_labels(chosen)
    sides = {"after": made.results}
    if isinstance(parent, str):
        name = f"before {parent} {formulas}"
        sides["before"] = tables.derived(name, lambda: results_of_weights(parent, formulas))
    if level is not None:
        sides["labels"] = tables.derived(f"at {level} {formulas}", lambda: results_at(level, formulas))
    figure = before_after_figure(side_rows(sides), theme=theme)
    note = "At the materials and temperatures of its own runs. Bars are 95 % intervals, arrows are bounds."
    return figure_card(BEFORE, title, figure, note=note, height_px=460)


def level_of_labels(chosen: pd.Series[Any]) -> str | None:
    """Return the level of theory of the labels of a training."""
    if not isinstance(chosen["dataset_uuid"], str):
        return None
    try:
        level = diffusion_attributes(chosen["dataset_uuid"]).get("level_of_theory")
    except ValueError:  # the dataset is not in this archive
        return None
    return level if isinstance(level, str) else None


def lineage_card(chosen: pd.Series[Any], made: Made) -> Component:
    """Return the way from the labels to the results, each step with links to its nodes."""
    level = level_of_labels(chosen)
    parent = str(chosen["parent"]) if known(chosen["parent"]) else None
    own = f"{chosen['process']} {chosen['pk']}"
    steps: list[tuple[str, list[Any]]] = [
        ("labels", [level or "unknown level of theory"]),
        ("dataset", [_counts(chosen), _link(chosen["dataset_uuid"])]),
        ("parent", [parent or "none: from scratch"]),
        ("training", [f"{own}, {chosen['state']}", _link(chosen["uuid"])]),
        ("potential", [_link(chosen["potential_uuid"]) or "none"]),
        ("runs", _links(made.runs)),
        ("results", _links(made.results)),
        ("conductivities", _links(made.conductivities)),
    ]
    if isinstance(chosen["process_uuid"], str):
        steps.insert(
            4, ("made by", [f"{chosen['member']} of process {chosen['process_pk']}", _link(chosen["process_uuid"])])
        )
    lines = [
        html.Li([html.Strong(name), ": ", *(part for item in parts if item is not None for part in (item, " "))])
        for name, parts in steps
    ]
    return card("From labels to results", html.Ol(lines, className="lineage"), note="A link opens the provenance.")


def _counts(chosen: pd.Series[Any]) -> str:
    counts = [chosen[name] for name in ("n_train", "n_validation", "n_test")]
    return " + ".join(f"{int(count)}" if known(count) else "?" for count in counts) + " frames"


def _link(uuid: Any) -> Component | None:
    return uuid_label(uuid) if isinstance(uuid, str) else None


def _links(table: pd.DataFrame) -> list[Any]:
    if table.empty:
        return ["none"]
    named = [
        page_link(html.Code(str(row["pk"])), View(uuid=str(row["uuid"])).url("/provenance"))
        for row in table.head(MOST).to_dict("records")
    ]
    more = [f"and {len(table) - MOST} more"] if len(table) > MOST else []
    return [f"{len(table)}:", *named, *more]


def results_card(made: Made) -> Component:
    """Return the diffusivities that were computed with the potential as a table."""
    if made.results.empty:
        return html.Div()
    links = [View(uuid=str(uuid)).url("/provenance") for uuid in made.results["uuid"]]
    table = with_archives(made.results, tables.archives()).assign(href=links)
    return table_card(
        "potentials-results",
        "Results with this potential",
        table,
        links={"formula": "href"},
        hidden=("pk", "uuid", "level_of_theory"),
    )
