"""Predictions of a model: log10 slope with its interval, and whether the material is in its domain."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aiida_ion.surrogate.checkpoint import Model
from aiida_ion.surrogate.dataset import KINDS, SHORT_MD, Dataset, FloatArray
from aiida_ion.surrogate.domain import descriptors
from aiida_ion.surrogate.samples import Samples


@dataclass(frozen=True)
class Predictions:
    """Predictions for M materials.

    :param log10_slope: (M,), log10 of angstrom^2/ps.
    :param std: (M,), spread of the networks of the ensemble, dex.
    :param interval95: (M, 2), conformal.
    :param in_domain: (M,), whether the material is similar to the training materials.
    :param domain_distance: (M,), in standard deviations.
    :param seconds: (M,), wall time of the networks.
    :param reasons: (M,), why a material is outside the domain, else empty.
    """

    log10_slope: FloatArray
    std: FloatArray
    interval95: FloatArray
    in_domain: npt.NDArray[np.bool_]
    domain_distance: FloatArray
    seconds: FloatArray
    reasons: list[str]


def predict(model: Model, dataset: Dataset, device: str = "cpu") -> Predictions:
    """Predict the materials of a dataset, labelled or not.

    A model trained on frames of trajectories uses frames of the short MD if there is no trajectory.

    :raises ValueError: if a material lacks the configurations that the model was trained on.
    """
    prepared = with_stand_in_frames(dataset, model.settings.kind)
    samples = Samples(prepared, model.settings, device)
    predicted, seconds = [], []
    for member in model.members:
        member.network.to(device)
    for material in range(len(dataset)):
        start = time.perf_counter()
        predicted.append([float(member.predicted(samples, [material])[0]) for member in model.members])
        seconds.append(time.perf_counter() - start)
    log10_slope, std = np.mean(predicted, axis=1), np.std(predicted, axis=1)
    distance = model.domain.distances(descriptors(prepared, model.settings))
    inside = distance <= model.domain.limit
    half = model.halfwidth_dex
    return Predictions(
        log10_slope=log10_slope,
        std=std,
        interval95=np.stack([log10_slope - half, log10_slope + half], axis=1),
        in_domain=inside,
        domain_distance=distance,
        seconds=np.array(seconds),
        reasons=[_reason(float(value), model.domain.limit) for value in distance],
    )


def with_stand_in_frames(dataset: Dataset, kind: str) -> Dataset:
    """Return the dataset with the short MD used as trajectory, if there is no other."""
    kinds = dataset["kind"]
    if kind != "trajectory" or (kinds == KINDS["trajectory"]).any():
        return dataset
    stand_in = np.where(kinds == SHORT_MD, KINDS["trajectory"], kinds).astype(kinds.dtype)
    return replace(dataset, arrays={**dataset.arrays, "kind": stand_in})


def _reason(distance: float, limit: float) -> str:
    if distance <= limit:
        return ""
    return f"unlike the training materials of the model: {distance:.2g} standard deviations, limit {limit:.2g}"
