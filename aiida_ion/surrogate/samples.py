"""Graphs of all materials, created on first use, and their scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from aiida_ion.surrogate.dataset import KINDS, Dataset, FloatArray
from aiida_ion.surrogate.features import IntArray, graph_frames
from aiida_ion.surrogate.graphs import Graph, configuration_graph, joined, moved_to
from aiida_ion.surrogate.invariants import material_invariants
from aiida_ion.surrogate.settings import Settings

#: Maximum number of configurations of a material used as graphs in training.
MAX_SAMPLINGS = 20
#: Standardised invariants are clipped to this.
MAX_DEVIATION = 5.0
#: Vectors shorter than this on average count as zero.
SMALLEST_SCALE = 1e-9


class Samples:
    """Graphs and invariants of the materials of a dataset under some settings.

    :param dataset: the dataset.
    :param settings: which configurations and which features to use.
    :param device: device of the tensors.
    :raises ValueError: if a material has no configuration of the kind in the settings.
    """

    def __init__(self, dataset: Dataset, settings: Settings, device: str = "cpu") -> None:
        self.settings, self.device, self._dataset = settings, device, dataset
        kind = KINDS[settings.kind]
        frames = (graph_frames(dataset, material, kind, settings) for material in range(len(dataset)))
        self.frames = [_spread(chosen) for chosen in frames]
        without = [index for index, chosen in enumerate(self.frames) if len(chosen) == 0]
        if without:
            names = [_name(dataset, chosen) for chosen in without[:3]]
            raise ValueError(f"{len(without)} materials have no {settings.kind} configuration: {', '.join(names)} ...")
        self.invariants = np.array(
            [material_invariants(dataset, material, settings.invariants) for material in range(len(dataset))]
        )
        self._graphs: dict[int, Graph] = {}

    def graph(self, configuration: int) -> Graph:
        """Return the graph of a configuration of the dataset."""
        result = self._graphs.get(configuration)
        if result is None:
            result = moved_to(configuration_graph(self._dataset, configuration, self.settings), self.device)
            self._graphs[configuration] = result
        return result

    def batch(self, configurations: Sequence[int]) -> Graph:
        """Return several configurations as one graph."""
        return joined([self.graph(configuration) for configuration in configurations])

    def predicted_frames(self, material: int) -> list[int]:
        """Return the configurations over which a prediction is averaged, evenly spaced."""
        frames = self.frames[material]
        n_frames = min(self.settings.n_samplings, len(frames))
        return [int(frames[int(index)]) for index in np.linspace(0, len(frames) - 1, n_frames)]

    def vector_scale(self, materials: Sequence[int] | IntArray) -> Tensor:
        """Return the root mean square of each vector feature over some materials; 1 where it is always zero."""
        frames = [frame for material in materials for frame in self.predicted_frames(int(material))]
        squares = torch.cat([(self.graph(frame).vectors ** 2).sum(dim=2) for frame in frames])
        scale = squares.mean(dim=0).sqrt()
        return torch.where(scale > SMALLEST_SCALE, scale, torch.ones_like(scale))


class Standard:
    """Mean and spread of the invariants of the materials that a model is trained on.

    :param mean: (n,).
    :param spread: (n,).
    """

    def __init__(self, mean: FloatArray, spread: FloatArray) -> None:
        self.mean, self.spread = mean, spread

    @classmethod
    def of(cls, invariants: FloatArray) -> Standard:
        """Compute them from invariants (M, n); a column without numbers counts as zero."""
        known = np.isfinite(invariants)
        count = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, invariants, 0.0)
        mean = filled.sum(axis=0) / count
        spread = np.sqrt((np.where(known, invariants - mean, 0.0) ** 2).sum(axis=0) / count)
        return cls(mean, np.where(spread > 1e-9, spread, 1.0))

    def applied(self, invariants: FloatArray) -> FloatArray:
        """Return standardised invariants (M, n); unknown ones become the mean."""
        scaled = (invariants - self.mean) / self.spread
        return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -MAX_DEVIATION, MAX_DEVIATION)


def _spread(frames: IntArray) -> IntArray:
    """Return at most the maximum number of frames, evenly spaced."""
    if len(frames) <= MAX_SAMPLINGS:
        return frames
    return frames[np.linspace(0, len(frames) - 1, MAX_SAMPLINGS).astype(np.int64)]


def _name(dataset: Dataset, material: int) -> str:
    return str(dataset.materials[material].get("formula", material)) if dataset.materials else str(material)
