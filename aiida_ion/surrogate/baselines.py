"""Baselines without a network: the mean, a forest on compositions and volumes, and the slope of the short MD."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from aiida_ion.surrogate.dataset import DISPLACED, SHORT_MD, Dataset, FloatArray
from aiida_ion.surrogate.features import N_ELEMENTS, IntArray
from aiida_ion.surrogate.invariants import material_invariants
from aiida_ion.surrogate.labels import cheap_labels
from aiida_ion.surrogate.samples import Standard
from aiida_ion.surrogate.settings import INVARIANTS, Settings, amplitudes_read, kinds_read

N_TREES = 300
Baseline = Callable[[Dataset, FloatArray, IntArray, IntArray, int], FloatArray]


def mean(dataset: Dataset, labels: FloatArray, trained: IntArray, held_out: IntArray, seed: int) -> FloatArray:
    """Predict the mean label of the training materials."""
    del dataset, seed
    return np.full(len(held_out), labels[trained].mean())


def composition_forest(
    dataset: Dataset, labels: FloatArray, trained: IntArray, held_out: IntArray, seed: int
) -> FloatArray:
    """Predict with a random forest on element fractions, volume per atom and fraction of mobile ions."""
    return _forest(_compositions(dataset), labels, trained, held_out, seed)


def short_md_slope(n_calls: int | None = None) -> Baseline:
    """Return the baseline that fits a straight line to the log10 slope of the short MD.

    :param n_calls: force evaluations of the short MD to use; all if not given.
    """

    def line(dataset: Dataset, labels: FloatArray, trained: IntArray, held_out: IntArray, seed: int) -> FloatArray:
        slopes = cheap_labels(dataset, n_calls)
        usable = trained[np.isfinite(slopes[trained])]
        predicted = mean(dataset, labels, trained, held_out, seed)
        known = np.isfinite(slopes[held_out])
        if len(usable) > 1 and known.any():
            fit = LinearRegression().fit(slopes[usable, None], labels[usable])
            predicted[known] = fit.predict(slopes[held_out][known, None])
        return predicted

    return line


def numbers_forest(
    dataset: Dataset, labels: FloatArray, trained: IntArray, held_out: IntArray, seed: int
) -> FloatArray:
    """Predict with a random forest on all invariants of a material that a network could use."""
    numbers = np.array([material_invariants(dataset, index, INVARIANTS) for index in range(len(dataset))])
    return _forest(Standard.of(numbers[trained]).applied(numbers), labels, trained, held_out, seed)


def make_baselines(dataset: Dataset, settings: Settings) -> dict[str, Baseline]:
    """Return the baselines of a report by name; those from the short MD only if the dataset has one.

    ``short_md_same_calls`` uses as many force evaluations as the model, ``short_md_slope`` the whole short MD.
    """
    baselines: dict[str, Baseline] = {"mean": mean, "composition_forest": composition_forest}
    if (dataset["kind"] == SHORT_MD).any():
        baselines["short_md_same_calls"] = short_md_slope(force_calls(dataset, settings))
        baselines["short_md_slope"] = short_md_slope()
    if settings.invariants:
        baselines["numbers_forest"] = numbers_forest
    return baselines


def force_calls(dataset: Dataset, settings: Settings) -> int:
    """Return the approximate number of force evaluations of a prediction for one material.

    Frames of a run cost all its steps; invariants of a material cost the run and the displaced cells they need.
    """
    material = int(dataset["material"][0])
    kinds, amplitudes = kinds_read(settings), amplitudes_read(settings)
    displaced = sum(amplitudes.values()) if amplitudes else len(dataset.configurations(material, DISPLACED))
    run = run_steps(dataset, material) if {"short_md", "trajectory"} & set(kinds) else 0
    return run + (displaced if "displaced" in kinds else 0)


def run_steps(dataset: Dataset, material: int) -> int:
    """Return the number of steps of the short MD of a material."""
    frames = dataset.configurations(material, SHORT_MD)
    step_fs = float(dataset["short_md_steps_fs"][material])
    if len(frames) == 0 or not np.isfinite(step_fs):
        return 0
    return round(float(np.ptp(dataset["time_fs"][frames])) / step_fs)


def _compositions(dataset: Dataset) -> FloatArray:
    rows = []
    for material in range(len(dataset)):
        atoms = dataset.atoms(material)
        numbers, n_atoms = dataset["atomic_numbers"][atoms], atoms.stop - atoms.start
        fractions = np.bincount(numbers, minlength=N_ELEMENTS) / n_atoms
        volume = abs(np.linalg.det(dataset["cells_A"][material])) / n_atoms
        rows.append([*fractions, volume, dataset["masses_amu"][atoms].mean(), dataset["mobile"][atoms].mean()])
    return np.array(rows)


def _forest(features: FloatArray, labels: FloatArray, trained: IntArray, held_out: IntArray, seed: int) -> FloatArray:
    forest = RandomForestRegressor(n_estimators=N_TREES, random_state=seed)
    predicted: FloatArray = forest.fit(features[trained], labels[trained]).predict(features[held_out])
    return predicted
