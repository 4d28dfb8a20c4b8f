"""Cards of one trained potential: summary, learning curve, forces, loops of a student."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import badge, card, control, facts, figure_card, stat, stats, uuid_label
from aiida_ion.dashboards.figures.committee_spread import committee_figure
from aiida_ion.dashboards.figures.force_parity import force_parity_figure
from aiida_ion.dashboards.figures.student_loops import student_figure
from aiida_ion.dashboards.figures.theme import empty_figure, theme_named
from aiida_ion.dashboards.figures.training_curve import training_curve_figure
from aiida_ion.dashboards.numbers import grouped, short
from aiida_ion.dashboards.potential_rows import COLOURS, FRAMES, WHOSE, parity_arrays, student_rows
from aiida_ion.dashboards.state import View
from aiida_ion.queries.cells import known
from aiida_ion.queries.details import diffusion_attributes
from aiida_ion.queries.training.arrays import CURVE, predictions, report_arrays
from aiida_ion.queries.training.committees import committee_frames
from aiida_ion.queries.training.students import model_error_lines
from aiida_ion.units import MEV_PER_EV, duration

PARITY, CURVES, LOOPS = "potentials-parity", "potentials-curve", "potentials-loops"
SPREAD = "potentials-committee"
COLOUR, FORCES, OF = "potentials-colour", "potentials-forces", "potentials-frames"
HEIGHT_PX = 500
#: How far from one a slope of forces is called close to it.
CLOSE = 0.03
ACCEPTED = {"yes": ("accepted", "good"), "no": ("not accepted", "bad")}


def summary_card(chosen: pd.Series[Any]) -> Component:
    """Return the numbers of a training, and the nodes behind them."""
    slope, split = chosen["held_out_force_slope"], chosen["held_out_split"]
    energy_eV = chosen["held_out_energy_mae_eV_atom"]
    held_out = f"on frames of the {split}" if known(split) else "nothing was held out"
    cpu_time = duration(float(chosen["cpu_time_s"])) if known(chosen["cpu_time_s"]) else "-"
    others = " + ".join(_count(chosen[name]) for name in ("n_validation", "n_test"))
    epochs = f"{_count(chosen['n_epochs'])} epochs, seed {_word(chosen['seed'])}"
    numbers = stats(
        stat("force MAE (eV/Å)", short(_plain(chosen["held_out_force_mae_eV_A"])), _before(chosen)),
        stat("slope of forces", short(_plain(slope), 4), _softness(slope)),
        stat("energy MAE (meV/atom)", short(MEV_PER_EV * energy_eV) if known(energy_eV) else "-", held_out),
        stat("training frames", _count(chosen["n_train"]), f"{others} for validation and test"),
        stat("weights", _count(chosen["n_weights"]), epochs),
        stat("CPU time", cpu_time, _all_jobs(chosen)),
    )
    nodes = [(name, chosen[f"{name}_uuid"]) for name in ("report", "potential", "dataset")]
    listed: list[tuple[str, Any]] = [
        *((name, uuid_label(uuid)) for name, uuid in nodes if isinstance(uuid, str)),
        ("process", uuid_label(str(chosen["uuid"]))),
        ("for", f"{_word(chosen['formula'])}{_only(chosen)}"),
        ("engines", _word(chosen["engines"]) if known(chosen["engines"]) else "none is registered"),
        ("sha256", html.Code(_word(chosen["sha256"]))),
    ]
    words: list[Any] = [html.Span(_word(chosen["level_of_theory"]))]
    if chosen["accepted"] in ACCEPTED:
        words = [badge(*ACCEPTED[chosen["accepted"]]), " ", *words]
    title = html.P(words, className="verdict")
    note = (
        f"{_word(chosen['process'])}, {_word(chosen['protocol'])}, {chosen['time']:%d %b %Y %H:%M}, {chosen['state']}"
    )
    return card("Potential", title, numbers, html.Div(facts(listed), className="below"), note=note)


def _before(chosen: pd.Series[Any]) -> str:
    before = chosen["parent_force_mae_eV_A"]
    if known(before):
        return f"{short(_plain(before))} before: {_word(chosen['parent'])}"
    return "from scratch" if not known(chosen["parent"]) else f"from {chosen['parent']}"


def _softness(slope: Any) -> str:
    if not known(slope):
        return "-"
    return "close to one" if abs(slope - 1) <= CLOSE else "below one: too soft" if slope < 1 else "above one: too stiff"


def _all_jobs(chosen: pd.Series[Any]) -> str | None:
    return "with labels and runs" if chosen["process"] == "ion.student" else None


def _only(chosen: pd.Series[Any]) -> str:
    return " only: its energies of elements are not determined" if chosen["single_composition"] == "yes" else ""


def curve_card(chosen: pd.Series[Any], theme_name: str | None) -> Component:
    """Return the learning curve."""
    theme = theme_named(theme_name)
    try:
        figure = training_curve_figure(report_arrays(str(chosen["report_uuid"]), CURVE), theme=theme)
    except ValueError as error:
        figure = empty_figure(theme, str(error))
    note = "Root mean square errors of components. POD is solved at once and has one point."
    return figure_card(CURVES, "Learning curve", figure, note=note, height_px=HEIGHT_PX)


def parity_card(view: View, chosen: pd.Series[Any]) -> Component:
    """Return the forces beside their references, with the choice of what is drawn."""
    colour, whose, frames = parity_choices(view, chosen)
    choices = [
        control(title, dcc.RadioItems(_options(names), value, id=name, className="inline"))
        for title, names, value, name in (
            ("Colour", COLOURS, colour, COLOUR),
            ("Forces", WHOSE, whose, FORCES),
            ("Frames", FRAMES, frames, OF),
        )
    ]
    note = "Components of forces as molecular dynamics evaluates them, beside those that it was trained on."
    return figure_card(
        PARITY,
        "Forces on labelled frames",
        parity(view, chosen),
        note=note,
        height_px=HEIGHT_PX,
        controls=choices,
        description=f"Parity plot of force components of {_word(chosen['level_of_theory'])}",
    )


def parity_choices(view: View, chosen: pd.Series[Any]) -> tuple[str, str, str]:
    """Return colour, forces and frames of the address; by default the frames whose errors the summary has."""
    colour, whose, frames = (view.option(name) for name in ("colour", "forces", "frames"))
    return (
        colour if colour in COLOURS else "element",
        whose if whose in WHOSE else "after",
        frames if frames in FRAMES else held_out_split(chosen),
    )


def held_out_split(chosen: pd.Series[Any]) -> str:
    """Return the split of the held-out errors of a training."""
    return str(chosen["held_out_split"]) if known(chosen["held_out_split"]) else "test"


def parity(view: View, chosen: pd.Series[Any]) -> go.Figure:
    """Return the figure of forces."""
    colour, whose, frames = parity_choices(view, chosen)
    theme, dataset = theme_named(view.theme), chosen["dataset_uuid"]
    try:
        made = predictions(str(chosen["report_uuid"]), dataset if isinstance(dataset, str) else None)
    except ValueError as error:
        return empty_figure(theme, str(error))
    arrays, groups = parity_arrays(made, colour, whose, frames)
    if whose == "before":
        nothing = "The training started from no parent, or its forces are not in the report."
    else:
        nothing = f"The report has no forces on these frames: {FRAMES[frames]}."
    name = _word(chosen["parent"]) if whose == "before" else _word(chosen["level_of_theory"])
    return force_parity_figure(arrays, groups, name, "labels", theme=theme, nothing=nothing)


def student_card(chosen: pd.Series[Any], theme_name: str | None) -> Component:
    """Return the loops of a student."""
    theme = theme_named(theme_name)
    try:
        attributes = diffusion_attributes(str(chosen["student_report_uuid"]))
        figure = student_figure(*student_rows(attributes), theme=theme)
    except ValueError as error:
        figure, attributes = empty_figure(theme, str(error)), {}
    note = [
        html.Span("Short runs explore, long ones decide; what ended early was labelled and trained on. "),
        *(html.Span(line) for line in model_error_lines(attributes.get("model_error"))),
    ]
    return figure_card(LOOPS, "Loops of the student", figure, note=note, height_px=620)


def committee_cards(chosen: pd.Series[Any], theme_name: str | None) -> list[Component]:
    """Return the spread of the committee that a training belongs to; nothing for one that stands alone."""
    if not isinstance(chosen["process_uuid"], str):
        return []
    dataset = chosen["dataset_uuid"]
    try:
        frames = committee_frames(chosen["process_uuid"], dataset if isinstance(dataset, str) else None)
    except ValueError as error:
        return [figure_card(SPREAD, "Committee", empty_figure(theme_named(theme_name), str(error)))]
    if frames is None:
        return []
    about = (frames.spread_eV_A, frames.error_eV_A, frames.split, frames.error_per_std)
    note = "A frame is a point. Points above the line of equality: the spread of the members is less than their error."
    figure = committee_figure(*about, theme=theme_named(theme_name))
    return [figure_card(SPREAD, "Committee: spread and error", figure, note=note, height_px=HEIGHT_PX)]


def _options(names: dict[str, str]) -> list[dict[str, str]]:
    return [{"label": words, "value": key} for key, words in names.items()]


def _plain(value: Any) -> float | None:
    return float(value) if known(value) else None


def _count(value: Any) -> str:
    return grouped(float(value)) if known(value) else "-"


def _word(value: Any) -> str:
    return str(value) if known(value) else "-"
