"""Numbers of synthetic results: those of walks that were really analysed, scaled to a law that is drawn."""

from __future__ import annotations

import copy
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, Segment, analyse_diffusion
from aiida_ion.units import BOLTZMANN_EV_K
from benchmarks import walkers
from benchmarks.synthetic.levels import Level

Arrays = dict[str, Any]
N_IONS, N_FRAMES = 16, 400
#: Below this nothing is seen to move, cm^2/s.
SMALLEST_CM2_S = 1e-7
CHARGES = walkers.CHARGES
TARGET_K = 300.0


@dataclass(frozen=True)
class Law:
    """Diffusivity of a material at a level of theory: ``log10_prefactor`` of cm^2/s and an energy, eV."""

    log10_prefactor: float
    energy_eV: float

    def diffusivity_cm2_s(self, temperature_K: float) -> float:
        """Diffusivity at a temperature."""
        return 10.0**self.log10_prefactor * math.exp(-self.energy_eV / (BOLTZMANN_EV_K * temperature_K))


class Numbers:
    """Draws of all that differs between results."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def chance(self) -> float:
        """Draw from 0 to 1."""
        return float(self.generator.random())

    def law(self, still: bool) -> Law:
        """Draw a material, one whose ions sit still where told so."""
        energy = self.generator.uniform(1.2, 1.6) if still else self.generator.uniform(0.18, 0.55)
        return Law(float(self.generator.normal(-3.0, 0.2)), float(energy))

    def shifted(self, law: Law) -> Law:
        """Draw what another level of theory makes of a material."""
        shift = self.generator.normal(0.0, 0.03)
        return Law(law.log10_prefactor + float(self.generator.normal(0.0, 0.1)), law.energy_eV + float(shift))

    def diffusion(
        self, formula: str, mobile: str, level: str, temperature_K: float, law: Law, arrays: bool = False
    ) -> tuple[dict[str, Any], Arrays]:
        """Return attributes of a diffusion node, and its arrays where wanted."""
        diffusivity = law.diffusivity_cm2_s(temperature_K) * math.exp(self.generator.normal(0.0, 0.1))
        moved = diffusivity > SMALLEST_CM2_S
        source = walk_result(moved)
        factor = diffusivity / (source.tracer_diffusivity_cm2_s or diffusivity)
        attributes = {name: scaled(name, value, factor, temperature_K) for name, value in attributes_of(moved).items()}
        draw = self.chance()
        attributes["grade"] = (
            ("A" if draw < 0.5 else "B" if draw < 0.8 else "C" if draw < 0.95 else "D") if moved else "bound"
        )
        if attributes["grade"] == "D":
            attributes["refused_because"] = "The framework moved: its squared displacement grows."
        mean_K = temperature_K + float(self.generator.normal(0.0, 2.0))
        attributes |= {"temperature_mean_K": mean_K, "temperature_std_K": 20.0, "temperature_K": mean_K}
        attributes |= {"formula": formula, "mobile_species": mobile, "level_of_theory": level, "charges": CHARGES}
        attributes |= {"target_temperature_K": temperature_K}
        return attributes, scaled_arrays(source, factor) if arrays else {}

    def conductivity(
        self, formula: str, level: str, law: Law, fits: list[tuple[dict[str, Any], Arrays]]
    ) -> tuple[dict[str, Any], Arrays]:
        """Return attributes of a conductivity node: fitted where the fits have arrays, else the template shifted."""
        text = [attributes for attributes, _ in fits]
        used = [one for one in text if one["verdict"] == "moved" and not one["refused_because"]]
        refused = [
            {"temperature_K": one["temperature_K"], "reason": one["refused_because"]}
            for one in text
            if one["refused_because"]
        ]
        bounds = [
            {"temperature_K": one["target_temperature_K"], "reason": one["reason"]}
            for one in text
            if one["verdict"] == "bound"
        ]
        arrays: Arrays = {}
        if len(used) < 3:
            result = copy.deepcopy(unmeasured())
        elif all(arrays for _, arrays in fits):
            points = [
                ArrheniusPoint(one["temperature_K"], kept["tracer_diffusivity_samples_cm2_s"])
                for one, kept in fits
                if one in used
            ]
            fit = fit_arrhenius(points, TARGET_K, 1.0, used[0]["number_density_A3"])
            result, arrays = fit.attributes(), fit.arrays()
        else:
            result = copy.deepcopy(measured())
            width = result["activation_energy_std_eV"] * float(self.generator.uniform(0.7, 1.5))
            energy = law.energy_eV + float(self.generator.normal(0.0, width))
            result |= {"activation_energy_eV": energy, "activation_energy_std_eV": width}
            result["activation_energy_ci95_eV"] = [energy - 2 * width, energy + 2 * width]
            conductivity = nernst_einstein(law.diffusivity_cm2_s(TARGET_K), TARGET_K)
            spread = width / (BOLTZMANN_EV_K * TARGET_K * math.log(10.0)) * 0.8
            log10 = math.log10(conductivity) + float(self.generator.normal(0.0, spread))
            result |= {"log10_ionic_conductivity_mS_cm": log10, "log10_ionic_conductivity_std_mS_cm": spread}
            result["log10_ionic_conductivity_ci95_mS_cm"] = [log10 - 2 * spread, log10 + 2 * spread]
        log10, edges = result["log10_ionic_conductivity_mS_cm"], result["log10_ionic_conductivity_ci95_mS_cm"]
        result["ionic_conductivity_mS_cm"] = None if log10 is None else 10**log10
        result["ionic_conductivity_ci95_mS_cm"] = None if log10 is None else [10**edge for edge in edges]
        result |= {name: text[0].get(name) for name in ("mobile_species", "charge_e", "number_density_A3")}
        result |= {"temperatures_used_K": [one["temperature_K"] for one in used], "temperatures_refused": refused}
        result |= {"temperatures_bound": bounds, "formula": formula, "level_of_theory": level}
        result |= {"collective_ionic_conductivity_mS_cm": None, "collective_ionic_conductivity_ci95_mS_cm": None}
        return result | {"summary": f"{formula}, {level}: {result['verdict']}."}, arrays

    def comparison(
        self, formula: str, names: tuple[str, str], sides: tuple[dict[str, Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return attributes of a comparison: what was determined, and a sentence where not.

        :param names: levels of theory, the compared one first.
        :param sides: attributes of both conductivities, in the same order.
        """
        attributes: dict[str, Any] = {
            "formula": formula,
            "level_of_theory": names[0],
            "reference_level_of_theory": names[1],
        }
        attributes |= {"target_temperature_K": TARGET_K, "missing": []}
        values = []
        for prefix, side in zip(("", "reference_"), sides, strict=True):
            for name in ("ionic_conductivity_mS_cm", "ionic_conductivity_ci95_mS_cm", "activation_energy_eV"):
                if side[name] is not None:
                    attributes[f"{prefix}{name}"] = side[name]
            if side["ionic_conductivity_mS_cm"] is not None:
                values.append(side["ionic_conductivity_mS_cm"])
        if len(values) == 2:
            ratio = values[0] / values[1]
            attributes |= {"ionic_conductivity_ratio": ratio, "ionic_conductivity_ratio_ci95": [ratio / 3, ratio * 3]}
            attributes["log10_ionic_conductivity_difference"] = math.log10(ratio)
            gap = sides[0]["activation_energy_eV"] - sides[1]["activation_energy_eV"]
            attributes |= {"activation_energy_difference_eV": gap, "log10_tracer_diffusivity_mae": abs(gap) + 0.05}
            attributes["n_temperatures_compared"] = 4
        else:
            attributes["missing"] = ["Ratio of the conductivities: one of them is not known."]
        mae = float(self.generator.lognormal(math.log(0.06), 0.4))
        attributes |= {"force_mae_eV_A": mae, "force_rmse_eV_A": 1.4 * mae, "force_n_frames": 100}
        attributes |= {"force_mae_by_element_eV_A": {"Li": mae, "O": 1.1 * mae}, "reference_force_rms_eV_A": 0.9}
        attributes |= {"rdf_distance": float(self.generator.uniform(0.01, 0.1)), "wall_speed_ratio": 800.0}
        attributes |= {"wall_s_per_step": 0.03, "reference_wall_s_per_step": 50.0, "wall_time_s": 6000.0}
        return attributes | {"summary": f"{formula}, {names[0]} against {names[1]}."}

    def cost(self, level: Level, n_segments: int) -> dict[str, Any]:
        """Return the ledger of a job."""
        steps_per_s = level.steps_per_s * float(self.generator.uniform(0.8, 1.2))
        n_steps = level.n_steps // n_segments
        seconds = n_steps / steps_per_s
        return {
            "wall_time_s": seconds,
            "cpu_time_s": seconds * level.cores,
            "gpu_time_s": seconds if level.kind == "mlip" else None,
            "n_steps": n_steps,
            "steps_per_s": steps_per_s,
            "n_atoms": 96,
            "peak_memory_MiB": 2000.0,
            "device": "cuda" if level.kind == "mlip" else "cpu",
            "hardware": "NVIDIA A100" if level.kind == "mlip" else "AMD EPYC 9654",
            "threads": 1,
        }


def nernst_einstein(diffusivity_cm2_s: float, temperature_K: float) -> float:
    """Conductivity of the walkers' density, mS/cm: it goes as D over T."""
    source = walk_result(True)
    one = (source.ionic_conductivity_mS_cm or 0.0) / (source.tracer_diffusivity_cm2_s or 1.0) * source.temperature_K
    return one * diffusivity_cm2_s / temperature_K


@functools.cache
def walk_result(moved: bool) -> DiffusionResult:
    """Return what the analysis makes of a free walk, or of ions that only vibrate."""
    steps = (walkers.brownian if moved else walkers.inert)(1, N_FRAMES, N_IONS)
    segment, symbols = walkers.trajectory(1, steps, 0.2, walkers.CUBIC)
    settings = DiffusionSettings(limits=CheckLimits(min_distance_ratio_warn=0.0, min_distance_ratio_fail=0.0))
    return analyse_diffusion([[segment]], symbols, "Li", CHARGES, 800.0, settings=settings)


@functools.cache
def attributes_of(moved: bool) -> dict[str, Any]:
    """Attributes of :func:`walk_result`."""
    return walk_result(moved).attributes()


def scaled(name: str, value: Any, factor: float, temperature_K: float) -> Any:
    """Return an attribute at another diffusivity and temperature, lists at every depth."""
    if isinstance(value, list):
        return [scaled(name, item, factor, temperature_K) for item in value]
    if not isinstance(value, float):
        return value
    if name.endswith("_cm2_s"):
        return value * factor
    return value * factor * 800.0 / temperature_K if name.endswith("_mS_cm") else value


def scaled_arrays(result: DiffusionResult, factor: float) -> Arrays:
    """Return the arrays of a walk as if it were so much faster."""
    fast = {name: name.endswith(("_A2", "_cm2_s")) for name in result.arrays()}
    return {name: array * (factor if fast[name] else 1.0) for name, array in result.arrays().items()}


@functools.cache
def walk_segment() -> tuple[Segment, list[str]]:
    """Return the frames behind :func:`walk_result`, and their elements."""
    return walkers.trajectory(1, walkers.brownian(1, N_FRAMES, N_IONS), 0.2, walkers.CUBIC)


def trajectory_arrays() -> Arrays:
    """Return arrays of a trajectory node; every one has the same frames."""
    segment, _ = walk_segment()
    steps = np.arange(N_FRAMES) * 50
    cells = np.broadcast_to(np.asarray(segment.cells, dtype=float), (N_FRAMES, 3, 3)).copy()
    positions = np.asarray(segment.positions, dtype=np.float32)
    return {"positions": positions, "steps": steps, "cells": cells, "times": np.asarray(segment.times_ps)}


@functools.cache
def measured() -> dict[str, Any]:
    """Attributes of a real Arrhenius fit to four temperatures."""
    law, generator = Law(-3.0, 0.3), np.random.default_rng(1)
    temperatures_K = (600.0, 800.0, 1000.0, 1200.0)
    draws = np.exp(generator.normal(0.0, 0.1, (4, 1000)))
    points = [ArrheniusPoint(t, law.diffusivity_cm2_s(t) * one) for t, one in zip(temperatures_K, draws, strict=True)]
    return fit_arrhenius(points, TARGET_K, 1.0, 0.002).attributes()


@functools.cache
def unmeasured() -> dict[str, Any]:
    """Attributes of a real Arrhenius fit to bounds alone."""
    bound = walk_result(False).tracer_diffusivity_upper_bound_cm2_s
    points = [ArrheniusPoint(t, None, bound, bound) for t in (600.0, 800.0, 1000.0, 1200.0)]
    return fit_arrhenius(points, TARGET_K, 1.0, 0.002).attributes()
