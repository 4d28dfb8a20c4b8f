"""A trained potential as rows for figures; parts that its nodes lack, or hold as something else, are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.training.arrays import Predictions

LOOP_COLUMNS = ("loop", "stage", "training", "n_train", "force_mae_eV_A", "target_eV_A")
RUN_COLUMNS = ("loop", "ended", "survived_ps", "length_ps", "words")
#: Choices of the parity figure: by what points are coloured, whose forces, on which frames.
COLOURS = {"element": "element", "temperature": "temperature"}
WHOSE = {"after": "after the training", "before": "before: the parent"}
FRAMES = {"test": "test", "validation": "validation", "train": "training"}
#: Most loops of a student, runs of a loop, and groups of a parity figure.
MOST_LOOPS, MOST_RUNS, MOST_GROUPS = 200, 50, 12


def student_rows(attributes: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the loops and the runs in the report of a student."""
    loops, runs = [], []
    for number, loop in enumerate(_mappings(attributes.get("history"))[:MOST_LOOPS], start=1):
        numbers = {name: _number(loop.get(name)) for name in LOOP_COLUMNS[2:]}
        loops.append({"loop": number, "stage": _word(loop.get("stage")), **numbers})
        for run in _mappings(loop.get("runs"))[:MOST_RUNS]:
            times = {name: _number(run.get(name)) for name in ("survived_ps", "length_ps")}
            runs.append({"loop": number, "ended": _word(run.get("ended")), "words": _ending(run), **times})
    return pd.DataFrame(loops, columns=list(LOOP_COLUMNS)), pd.DataFrame(runs, columns=list(RUN_COLUMNS))


def _ending(run: Mapping[str, Any]) -> str:
    """Return how a run ended, with the pair of elements where one came too close."""
    words = _word(run.get("ended")).replace("_", " ")
    distance, bound = read_number(run.get("distance_A")), read_number(run.get("bound_A"))
    if distance is None or bound is None:
        return words
    return f"{words}: {_word(run.get('pair'))} {distance:.2f} Å, bound {bound:.2f} Å"


def parity_arrays(
    made: Predictions | None, colour: str, whose: str, frames: str
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the arrays and the groups of a figure of forces; both empty where there are none.

    :param colour: a key of `COLOURS`.
    :param whose: a key of `WHOSE`.
    :param frames: a key of `FRAMES`.
    """
    forces = None if made is None else made.parent if whose == "before" else made.predicted
    if made is None or forces is None:
        return {}, []
    chosen = made.split == frames
    names = made.temperature if colour == "temperature" else made.element
    groups, index = np.unique(names[chosen], return_inverse=True)
    order = sorted(range(len(groups)), key=lambda place: _order(str(groups[place])))[:MOST_GROUPS]
    place = np.full(len(groups), -1)
    place[order] = np.arange(len(order))
    arrays = {
        "parity_reference_forces_eV_A": made.reference[chosen].ravel(),
        "parity_forces_eV_A": forces[chosen].ravel(),
        "parity_elements": np.repeat(place[index], 3),
    }
    return arrays, [str(groups[one]) for one in order]


def _order(name: str) -> tuple[float, str]:
    """Return the key by which temperatures are in order of their numbers."""
    head = name.removesuffix(" K")
    return (float(head), "") if head != name else (0.0, name)


def side_rows(sides: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the results of all sides at the materials and temperatures that the trained potential has, too.

    :param sides: ``after``, and where there are any ``before`` and ``labels``, as `queries.training.trained` has them.
    """
    columns = {
        "tracer_diffusivity_cm2_s": "value",
        "tracer_diffusivity_ci95_low_cm2_s": "low",
        "tracer_diffusivity_ci95_high_cm2_s": "high",
        "tracer_diffusivity_upper_bound_cm2_s": "bound",
    }
    where = ["formula", "target_temperature_K"]
    own = sides["after"][where].dropna().drop_duplicates()
    parts = [
        table.dropna(subset=where).merge(own, on=where).rename(columns=columns).assign(side=side)
        for side, table in sides.items()
    ]
    names = ["side", *where, "level_of_theory", "verdict", *columns.values(), "uuid"]
    filled = [part[names].astype(object) for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=names)
    # A bound is shown as a bound: the number beside it is none.
    is_value = rows["verdict"].isin(["moved", "poorly_known"])
    for name in ("value", "low", "high"):
        rows[name] = pd.to_numeric(rows[name], errors="coerce").where(is_value)
    return rows.assign(bound=pd.to_numeric(rows["bound"], errors="coerce"))


def watch_facts(attributes: Mapping[str, Any]) -> tuple[list[str], dict[str, float], list[int], float | None]:
    """Return pairs, their bounds, rows of flagged frames, and the bound of the spread, eV/angstrom."""
    given = attributes.get("pairs")
    pairs = [str(name) for name in given] if isinstance(given, list) else []
    stored = attributes.get("bounds_A")
    bounds = {str(name): read_number(value) for name, value in stored.items()} if isinstance(stored, dict) else {}
    rows = [read_number(one.get("row")) for one in _mappings(attributes.get("flagged"))]
    known = {name: value for name, value in bounds.items() if value is not None}
    return (
        pairs,
        known,
        [int(row) for row in rows if row is not None],
        read_number(attributes.get("committee_bound_eV_A")),
    )


def _mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float:
    number = read_number(value)
    return float("nan") if number is None else float(number)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "-"
