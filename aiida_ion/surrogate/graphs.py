"""Configurations as graphs: atoms, and an edge for each pair of neighbours, including periodic images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from vesin import NeighborList

from aiida_ion.surrogate.dataset import Dataset, FloatArray
from aiida_ion.surrogate.features import AtomFeatures, IntArray, atom_features
from aiida_ion.surrogate.settings import Settings


@dataclass(frozen=True)
class Graph:
    """Atoms and edges of one configuration, or of several disconnected ones.

    :param vectors: (N, n_vectors, 3), vector features of the atoms.
    :param scalars: (N, n_scalars), scalar features.
    :param senders: (E,), atom at the start of each edge.
    :param receivers: (E,), atom at its end.
    :param edges: (E, 3), from receiver to sender, angstrom.
    :param pooled: (N,), weight of each atom in the mean over its configuration.
    :param owners: (N,), configuration of each atom.
    :param n_graphs: number of configurations.
    """

    vectors: Tensor
    scalars: Tensor
    senders: Tensor
    receivers: Tensor
    edges: Tensor
    pooled: Tensor
    owners: Tensor
    n_graphs: int = 1


def neighbours(positions: FloatArray, cell: FloatArray, cutoff_A: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Return receivers (E,), senders (E,) and the vectors between them (E, 3), angstrom, for all images."""
    search = NeighborList(cutoff=cutoff_A, full_list=True)
    receivers, senders, vectors = search.compute(points=positions, box=cell, periodic=True, quantities="ijD")
    return receivers.astype(np.int64), senders.astype(np.int64), vectors


def make_graph(
    features: AtomFeatures, positions: FloatArray, cell: FloatArray, mobile: FloatArray, settings: Settings
) -> Graph:
    """Return one configuration as a graph.

    :param positions: (N, 3), angstrom, unwrapped or not.
    :param cell: (3, 3), rows are lattice vectors, angstrom.
    :param mobile: (N,), true for mobile ions.
    :raises ValueError: if mobile ions are pooled but there are none.
    """
    receivers, senders, vectors = neighbours(positions, cell, settings.cutoff_A)
    chosen = mobile.astype(float) if settings.pool == "mobile" else np.ones(len(positions))
    if chosen.sum() == 0:
        raise ValueError("a material has no mobile ion")
    dtype = torch.get_default_dtype()
    return Graph(
        vectors=torch.as_tensor(features.vectors, dtype=dtype),
        scalars=torch.as_tensor(features.scalars, dtype=dtype),
        senders=torch.as_tensor(senders, dtype=torch.int64),
        receivers=torch.as_tensor(receivers, dtype=torch.int64),
        edges=torch.as_tensor(vectors, dtype=dtype),
        pooled=torch.as_tensor(chosen / chosen.sum(), dtype=dtype),
        owners=torch.zeros(len(positions), dtype=torch.int64),
    )


def configuration_graph(dataset: Dataset, configuration: int, settings: Settings) -> Graph:
    """Return a configuration of a dataset as a graph."""
    material = int(dataset["material"][configuration])
    return make_graph(
        atom_features(dataset, configuration, settings),
        dataset.positions([configuration])[0],
        dataset["cells_A"][material],
        dataset["mobile"][dataset.atoms(material)],
        settings,
    )


def joined(graphs: Sequence[Graph]) -> Graph:
    """Return several graphs as one."""
    starts = np.cumsum([0, *(len(graph.pooled) for graph in graphs[:-1])]).tolist()
    owners = np.cumsum([0, *(graph.n_graphs for graph in graphs[:-1])]).tolist()
    return Graph(
        vectors=torch.cat([graph.vectors for graph in graphs]),
        scalars=torch.cat([graph.scalars for graph in graphs]),
        senders=torch.cat([item.senders + start for item, start in zip(graphs, starts, strict=True)]),
        receivers=torch.cat([item.receivers + start for item, start in zip(graphs, starts, strict=True)]),
        edges=torch.cat([graph.edges for graph in graphs]),
        pooled=torch.cat([graph.pooled for graph in graphs]),
        owners=torch.cat([item.owners + first for item, first in zip(graphs, owners, strict=True)]),
        n_graphs=sum(graph.n_graphs for graph in graphs),
    )


def moved_to(graph: Graph, device: str) -> Graph:
    """Return the graph on another device."""
    if device == "cpu":
        return graph
    tensors = {name: getattr(graph, name).to(device) for name in Graph.__dataclass_fields__ if name != "n_graphs"}
    return Graph(**tensors, n_graphs=graph.n_graphs)
