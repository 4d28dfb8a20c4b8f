"""Figures of results in the database, by their uuids."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.arrhenius import QUANTITIES, ArrheniusLine, arrhenius_figure
from aiida_ion.dashboards.figures.msd import MsdCurve, msd_figure
from aiida_ion.dashboards.figures.theme import LIGHT, Theme, level_styles
from aiida_ion.queries import details
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.reading.kinds import read_column

FACTOR = "log10_conductivity_temperature_per_diffusivity"
SAMPLES = ("activation_energy_samples_eV", "log10_prefactor_samples_cm2_s")
CURVES = ("all_lag_times_ps", "all_msd_A2", "lag_times_ps", "msd_A2", "msd_std_A2")


def stored_arrhenius(
    uuids: str | Sequence[str],
    *,
    quantity: str = "conductivity",
    measured: bool = True,
    theme: Theme = LIGHT,
) -> go.Figure:
    """Return the Arrhenius plot of conductivities over 1000/T (1/K).

    The axis is log10 of sigma T (mS K/cm), of sigma (mS/cm) or of D* (cm^2/s). Each result has its temperatures with
    95 % intervals, bounds as arrows, refused temperatures hollow, and the median of its posterior with the central
    95 %, dotted where it is extrapolated.

    :param uuids: of conductivities of one material, such as the column ``uuid`` of `aiida_ion.queries.conductivity`.
    :param quantity: ``conductivity`` for sigma T, ``plain_conductivity`` for sigma, or ``diffusivity``.
    :param measured: whether to draw measurements that are linked to a crystal of this formula, as stars.
    :raises ValueError: without uuids, for one that is not a conductivity, for results of several materials, or for
        another quantity.
    """
    chosen = [uuids] if isinstance(uuids, str) else [str(uuid) for uuid in uuids]
    if quantity not in QUANTITIES:
        raise ValueError(f"{quantity!r} cannot be drawn: choose from {', '.join(QUANTITIES)}")
    if not chosen:
        raise ValueError("no conductivity was given: name at least one uuid")
    points = details.arrhenius_points(chosen)
    attributes = {uuid: details.diffusion_attributes(uuid) for uuid in chosen}
    for uuid, values in attributes.items():
        if "activation_energy_eV" not in values:
            raise ValueError(f"{uuid} is not a conductivity: choose from aiida_ion.queries.conductivity()")
    formulas = sorted({str(values.get("formula")) for values in attributes.values()})
    if len(formulas) > 1:
        raise ValueError(f"an Arrhenius plot is of one material, these are {', '.join(formulas)}")
    table = experiments() if measured else None
    return arrhenius_figure(
        points,
        [_line(uuid, values, points) for uuid, values in attributes.items()],
        level_styles(str(values.get("level_of_theory")) for values in attributes.values()),
        theme=theme,
        quantity=quantity,
        experiments=None if table is None else pd.DataFrame(table[table["formula"] == formulas[0]]),
    )


def _line(uuid: str, attributes: Mapping[str, Any], points: pd.DataFrame) -> ArrheniusLine:
    known = points.loc[points["conductivity_uuid"] == uuid, FACTOR].dropna()
    arrays = details.diffusion_arrays(uuid, SAMPLES)
    energies_eV, prefactors = (arrays.get(name, np.empty(0)) for name in SAMPLES)
    return ArrheniusLine(
        level_of_theory=str(attributes.get("level_of_theory")),
        uuid=uuid,
        activation_energies_eV=energies_eV if len(energies_eV) == len(prefactors) else energies_eV[:0],
        log10_prefactors_cm2_s=prefactors,
        log10_factor=float(known.iloc[0]) if len(known) else None,
        target_temperature_K=float(attributes["target_temperature_K"]),
    )


def stored_msd(uuid: str, *, logarithmic: bool = True, theme: Theme = LIGHT) -> go.Figure:
    """Return the mean squared displacements (angstrom^2) over lag time (ps) of a conductivity, or of one temperature.

    :param uuid: of a conductivity, for all its temperatures, or of a diffusion node.
    :param logarithmic: whether both axes are logarithmic.
    :raises ValueError: if there is no such result.
    """
    points = details.arrhenius_points([uuid])
    refusals = dict(zip(points["uuid"], points["refused"], strict=True)) if len(points) else {uuid: None}
    return msd_figure([_curve(*item) for item in refusals.items()], theme=theme, logarithmic=logarithmic)


def _curve(uuid: str, refused: object) -> MsdCurve:
    attributes, arrays = details.diffusion_attributes(uuid), details.diffusion_arrays(uuid, CURVES)
    if "n_eff" not in attributes:
        raise ValueError(f"{uuid} is neither a conductivity nor a diffusivity")
    edges = read_column("fit_window_ps", [attributes.get("fit_window_ps")], "interval")[0]
    temperature_K = attributes.get("temperature_K")
    curves: dict[str, Any] = {name: arrays.get(name, np.empty(0)) for name in CURVES}
    return MsdCurve(
        uuid=uuid,
        temperature_K=math.nan if temperature_K is None else float(temperature_K),
        fit_window_ps=None if edges is None else (edges[0], edges[1]),
        tracer_diffusivity_cm2_s=attributes.get("tracer_diffusivity_cm2_s"),
        refused=isinstance(refused, str),
        **curves,
    )
