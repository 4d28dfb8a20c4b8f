"""A card for each potential or program that computed forces; what is not known is said to be unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aiida_ion.dashboards.components import badge, card, copy_button, facts, page_link, uuid_label
from aiida_ion.dashboards.numbers import grouped
from aiida_ion.dashboards.pages import potential_runs
from aiida_ion.dashboards.potentials.catalogue import (
    catalogue,
    cost_lines,
    error_lines,
    levels_of,
    n_left_out,
    training_of,
)
from aiida_ion.dashboards.potentials.published import Published, published
from aiida_ion.dashboards.state import View
from aiida_ion.units import duration

PATH = "/potentials"
#: Start of entry points of jobs -> kind of what computed the forces.
KINDS = {
    "ion.mlip": "interatomic potential",
    "ion.lammps": "LAMMPS potential",
    "ion.quantumespresso": "DFT",
    "ion.vasp": "DFT",
}
FIRST_PRINCIPLES = "DFT"
#: Errors and costs are stored by level of theory, not by file.
SHARED = "together with other potentials of the same level of theory"


def potential_cards() -> list[Component]:
    """Return the cards, under one heading."""
    records = catalogue()
    if not records:
        return []
    left = n_left_out()
    note = f"{left} more with fewer runs are in aiida-ion table potentials." if left else None
    intro = html.P(
        [
            "Papers, training sets and licences are those that publishers state; anything "
            "else is unknown: ask the publisher before you share weights. ",
            note,
        ],
        className="subtitle",
    )
    counts = Counter(level for record in records for level in levels_of(record))
    shared = {level for level, number in counts.items() if number > 1}
    return [intro, html.Div([potential_card(record, shared) for record in records], className="potentials")]


def potential_card(record: Mapping[str, Any], shared: set[str]) -> Component:
    """Return the card of a potential.

    :param record: a row of `aiida_ion.dashboards.potentials.catalogue.catalogue`.
    :param shared: levels of theory that several potentials carry.
    """
    levels, training = levels_of(record), training_of(record)
    runs = "run" if record["n_runs"] == 1 else "runs"
    together = [SHARED] if shared & set(levels) else []
    stated = published(record["name"], record["model"], record["job_type"], bool(record["has_file"]))
    kind = next((words for start, words in KINDS.items() if str(record["job_type"]).startswith(start)), "other")
    head = [badge("trained here", "active") if training is not None else badge(kind)]
    origin = _trained(training) if training is not None else _published(record, stated, kind)
    pairs: list[tuple[str, Any]] = [
        ("paper", _papers(record, stated)),
        ("licence of the code", _or_unknown(stated.code)),
        *origin,
        ("checkpoint SHA-256", _hash(record["checkpoint_sha256"], kind)),
        ("versions", _or_unknown(record["versions"])),
        ("errors", _lines(error_lines(levels), "not compared with anything here", together)),
        ("cost", _lines(cost_lines(levels), "no cost is stored", together)),
        ("used by", f"{grouped(float(record['n_runs']))} {runs}, {_total(record['wall_time_s'])}"),
        ("newest job", uuid_label(str(record["job_uuid"]))),
    ]
    return card(_title(record, levels), facts(pairs), actions=head)


def _title(record: Mapping[str, Any], levels: list[str]) -> str:
    if levels:
        return ", ".join(levels)
    return " ".join(str(part) for part in (record["name"], record["model"]) if isinstance(part, str))


def _published(record: Mapping[str, Any], stated: Published, kind: str) -> list[tuple[str, Any]]:
    """Return training set, functional, licence of the weights and parent of what was not trained here."""
    if kind == FIRST_PRINCIPLES:
        words = _or_unknown(record["levels_of_theory"])
        return [("training set", "none: forces from first principles"), ("functional", words)]
    return [
        ("licence of the weights", _or_unknown(stated.weights)),
        ("training set", _or_unknown(stated.training_set)),
        ("functional", _or_unknown(stated.functional)),
        ("parent", _or_unknown(None)),
    ]


def _trained(training: pd.Series[Any]) -> list[tuple[str, Any]]:
    """Return the same of what was trained here, with its held-out error."""
    parent = training["parent"]
    known = isinstance(parent, str)
    error = training["held_out_force_mae_eV_A"]
    link = page_link("its training", View(uuid=str(training["uuid"])).url(PATH))
    dataset = training["dataset_uuid"]
    frames = "unknown number of" if pd.isna(training["n_train"]) else grouped(float(training["n_train"]))
    return [
        ("licence of the weights", _unknown("unknown: that of its parent may apply" if known else "unknown")),
        ("training set", [f"{frames} frames ", uuid_label(dataset) if isinstance(dataset, str) else ""]),
        ("functional", _or_unknown(potential_runs.level_of_labels(training))),
        ("parent", parent if known else "none: from scratch"),
        ("held-out forces", [_or_unknown(None if pd.isna(error) else f"MAE {error:.3g} eV/Å "), link]),
    ]


def _papers(record: Mapping[str, Any], stated: Published) -> Any:
    links: list[Any] = []
    for words, address in stated.papers:
        links += [html.A(words, href=address, target="_blank", rel="noopener noreferrer"), ", "]
    citation = record["citation"]
    links += [str(citation), ", "] if isinstance(citation, str) else []
    return links[:-1] or _or_unknown(None)


def _hash(sha256: object, kind: str) -> Any:
    if isinstance(sha256, str) and sha256:
        return html.Span([html.Code(f"{sha256[:12]}…", title=sha256), " ", copy_button(sha256, "Copy the SHA-256")])
    return "none" if kind == FIRST_PRINCIPLES else _or_unknown(None)


def _total(seconds: object) -> str:
    known = isinstance(seconds, (int, float)) and not pd.isna(seconds)
    return f"{duration(float(seconds))} together" if known else "unknown time"  # type: ignore[arg-type]


def _lines(lines: list[str], nothing: str, remarks: list[str]) -> Any:
    """Return sentences below each other, with remarks on all of them; without any, why there is none."""
    if not lines:
        return _unknown(nothing)
    return [*(html.Div(line) for line in lines), *(html.Div(_unknown(remark)) for remark in remarks)]


def _or_unknown(text: object) -> Any:
    return text if isinstance(text, str) and text else _unknown("unknown")


def _unknown(words: str) -> Component:
    return html.Span(words, className="unknown")
