"""A random forest that uses only compositions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element, Species

FloatArray = npt.NDArray[np.float64]

#: Elemental properties; their mean, spread, minimum and maximum are features.
PROPERTIES = ("Z", "atomic_mass", "X", "group", "row", "mendeleev_no")
N_TREES = 100
#: Leave-one-out up to this many materials; beyond, cross-validation in this many folds.
MAX_LEAVE_ONE_OUT = 60
N_PARTS = 10


def composition_features(formulas: Sequence[str]) -> FloatArray:
    """Return features of compositions, (n, m).

    The fraction of every element in any of them; and of the properties of their elements the weighted mean and standard
    deviation, the minimum and the maximum.

    :raises ValueError: for a formula that pymatgen cannot read.
    """
    compositions = [Composition(formula).fractional_composition for formula in formulas]
    elements = sorted({element for composition in compositions for element in composition.elements})
    return np.array([_features(composition, elements) for composition in compositions])


def forest_predictions(formulas: Sequence[str], values: FloatArray, seed: int = 1) -> FloatArray:
    """Predict each material with a forest trained on the other materials, (n,).

    :param formulas: one per material, such as ``Li7P3S11``.
    :param values: the target values, (n,); a bound counts as its value.
    :param seed: seed of the trees and folds.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict

    parts = LeaveOneOut() if len(values) <= MAX_LEAVE_ONE_OUT else KFold(N_PARTS, shuffle=True, random_state=seed)
    forest = RandomForestRegressor(n_estimators=N_TREES, random_state=seed)
    predicted: FloatArray = cross_val_predict(forest, composition_features(formulas), values, cv=parts)
    return predicted


def forest_of_others(
    formulas: Sequence[str], known_formulas: Sequence[str], known_values: FloatArray, seed: int = 1
) -> FloatArray:
    """Predict materials with a forest trained on known materials, (n,).

    :param formulas: of the materials, (n,).
    :param known_formulas: of the training materials, (m,), disjoint from the others.
    :param known_values: their values, (m,).
    :param seed: seed of the trees.
    """
    from sklearn.ensemble import RandomForestRegressor

    features = composition_features([*formulas, *known_formulas])
    forest = RandomForestRegressor(n_estimators=N_TREES, random_state=seed)
    predicted: FloatArray = forest.fit(features[len(formulas) :], known_values).predict(features[: len(formulas)])
    return predicted


def _features(composition: Composition, elements: Sequence[Element | Species]) -> list[float]:
    fractions = [float(composition[element]) for element in elements]
    own = list(composition.elements)
    weights = np.array([composition[element] for element in own], dtype=float)
    features = fractions
    for name in PROPERTIES:
        values = np.array([float(getattr(element, name)) for element in own])
        mean = float(weights @ values)
        spread = float(np.sqrt(weights @ (values - mean) ** 2))
        features += [mean, spread, float(values.min()), float(values.max())]
    return features
