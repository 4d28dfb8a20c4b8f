"""What the temperature of a run did: mean, fluctuation, drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_BLOCKS = 5


def temperature_statistics(replicas: Sequence[NDArray[Any]]) -> dict[str, float]:
    """Return mean, standard deviation and drift of the temperature over replicas, K.

    The drift is the largest difference between the means of the last and the first fifth of a replica: beyond a few
    per cent of the mean the run was not at one temperature.

    :param replicas: one array of shape (n_steps,) for each replica, K, equilibration left out.
    """
    kept = [np.asarray(values, dtype=float) for values in replicas if len(values)]
    if not kept:
        return {}
    together = np.concatenate(kept)
    statistics = {
        "temperature_mean_K": float(together.mean()),
        "temperature_std_K": float(together.std()),
    }
    drifts = [blocks[-1].mean() - blocks[0].mean() for values in kept if len(blocks := _blocks(values)) == N_BLOCKS]
    if drifts:
        statistics["temperature_drift_K"] = float(max(drifts, key=abs))
    return statistics


def _blocks(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return np.array_split(values, N_BLOCKS) if len(values) >= 2 * N_BLOCKS else []
