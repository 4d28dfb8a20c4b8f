"""The network: equivariant messages between neighbours, and one number for each configuration.

Built of e3nn's operations (Geiger, Smidt, arXiv:2207.09453): features are scalars, vectors and tensors of rank two;
messages are tensor products of an atom's features with the spherical harmonics of an edge, weighted by a function of
its length; a gate is the non-linearity. Atoms do not carry their element, unless requested.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from e3nn import o3
from e3nn.math import soft_one_hot_linspace
from e3nn.nn import FullyConnectedNet, Gate
from torch import Tensor, nn

from aiida_ion.surrogate.features import N_ELEMENTS, feature_sizes
from aiida_ion.surrogate.graphs import Graph
from aiida_ion.surrogate.settings import Settings

#: Approximate number of neighbours of an atom, for normalisation of sums.
TYPICAL_NEIGHBOURS = 32.0
RADIAL_NEURONS = 16
HEAD_NEURONS = 32


class Edges(NamedTuple):
    """Pairs of neighbours, as used in messages.

    :param senders: (E,), atom at the start of each edge.
    :param receivers: (E,), atom at its end.
    :param harmonics: (E, d), spherical harmonics of its direction.
    :param radial: (E, n_radial), functions of its length.
    """

    senders: Tensor
    receivers: Tensor
    harmonics: Tensor
    radial: Tensor

    def towards(self, vectors: Tensor) -> Edges:
        """Return the edges that end at the chosen atoms, given as a mask (N,)."""
        kept = vectors[self.receivers].nonzero().squeeze(1)
        return Edges(*(array[kept] for array in self))


class Messages(nn.Module):  # type: ignore[misc]
    """One round of messages between neighbours, then the gate.

    :param last: whether this is the last round, after which only scalars are needed.
    """

    def __init__(self, irreps_in: Any, settings: Settings, harmonics: Any, last: bool) -> None:
        super().__init__()
        scalars = o3.Irreps(f"{settings.scalars}x0e")
        turning = o3.Irreps("") if last else _turning(settings)
        gates = o3.Irreps(f"{turning.num_irreps}x0e") if turning.num_irreps else o3.Irreps("")
        silu = torch.nn.functional.silu
        self.gate = Gate(scalars, [silu] * len(scalars), gates, [torch.sigmoid] * len(gates), turning)
        irreps_out = self.gate.irreps_in
        mid, instructions = _paths(irreps_in, harmonics, irreps_out)
        self.product = o3.TensorProduct(
            irreps_in, harmonics, mid, instructions, shared_weights=False, internal_weights=False
        )
        self.radial = FullyConnectedNet([settings.n_radial, RADIAL_NEURONS, self.product.weight_numel], silu)
        self.after = o3.Linear(mid.simplify(), irreps_out)
        self.own = o3.Linear(irreps_in, irreps_out)
        self.irreps_out = self.gate.irreps_out

    def forward(self, features: Tensor, edges: Edges) -> Tensor:
        """Return new features of the atoms, (N, d)."""
        sent = self.product(features[edges.senders], edges.harmonics, self.radial(edges.radial))
        received = torch.zeros(len(features), sent.shape[1], dtype=sent.dtype, device=sent.device)
        received = received.index_add(0, edges.receivers, sent) / TYPICAL_NEIGHBOURS**0.5
        new: Tensor = self.gate(self.own(features) + self.after(received))
        return new


class Network(nn.Module):  # type: ignore[misc]
    """Maps graphs of configurations and invariants of materials to log10 slopes, in units of the labels' spread.

    :param settings: sizes.
    :param n_invariants: number of invariants of each material.
    """

    def __init__(self, settings: Settings, n_invariants: int) -> None:
        super().__init__()
        self.settings = settings
        n_vectors, n_scalars = feature_sizes(settings)
        # Elements are embedded in a learned space: tensor products with one channel per element would cost ten times as
        # much.
        self.elements = nn.Linear(N_ELEMENTS, settings.scalars) if "species" in settings.inputs else None
        if self.elements is not None:
            n_scalars += settings.scalars - N_ELEMENTS
        self.register_buffer("vector_scale", torch.ones(n_vectors))
        self.harmonics = o3.Irreps.spherical_harmonics(2 if settings.tensors else 1)
        # Every vector also contributes its length; one scalar is always present so that the input is never empty.
        irreps = o3.Irreps(f"{1 + n_scalars + n_vectors}x0e") + (o3.Irreps(f"{n_vectors}x1o") if n_vectors else "")
        layers = []
        for layer in range(1, settings.n_layers + 1):
            layers.append(Messages(irreps, settings, self.harmonics, last=layer == settings.n_layers))
            irreps = layers[-1].irreps_out
        self.layers = nn.ModuleList(layers)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Sequential(
            nn.Linear(settings.scalars + n_invariants, HEAD_NEURONS), nn.SiLU(), nn.Linear(HEAD_NEURONS, 1)
        )
        # Some invariants almost determine the answer: a linear term gives direct access to them.
        self.line = nn.Linear(n_invariants, 1, bias=False) if n_invariants else None

    def forward(self, graph: Graph, invariants: Tensor) -> Tensor:
        """Return one number for each configuration, (n_graphs,).

        :param invariants: (n_graphs, n_invariants), standardised.
        """
        edges, features = self._edges(graph), self._embedded(graph)
        for layer in self.layers[:-1]:
            features = layer(features, edges)
        if self.settings.pool != "all":  # the other atoms are no longer needed
            edges = edges.towards(graph.pooled > 0)
        features = self.layers[-1](features, edges)
        scalars = features[:, : self.settings.scalars] * graph.pooled[:, None]
        pooled = torch.zeros(graph.n_graphs, scalars.shape[1], dtype=scalars.dtype, device=scalars.device)
        pooled = pooled.index_add(0, graph.owners, scalars)
        output: Tensor = self.head(self.dropout(torch.cat([pooled, invariants], dim=1)))
        return (output if self.line is None else output + self.line(invariants)).squeeze(1)

    def _edges(self, graph: Graph) -> Edges:
        harmonics = o3.spherical_harmonics(self.harmonics, graph.edges, normalize=True, normalization="component")
        radial = soft_one_hot_linspace(
            graph.edges.norm(dim=1), 0.0, self.settings.cutoff_A, self.settings.n_radial, "smooth_finite", cutoff=True
        )
        return Edges(graph.senders, graph.receivers, harmonics, radial * self.settings.n_radial**0.5)

    def _embedded(self, graph: Graph) -> Tensor:
        vectors = graph.vectors / self.vector_scale[:, None]
        lengths = torch.log1p(vectors.norm(dim=2))
        ones = torch.ones_like(graph.pooled)[:, None]
        scalars = graph.scalars
        if self.elements is not None:
            scalars = torch.cat([scalars[:, :-N_ELEMENTS], self.elements(scalars[:, -N_ELEMENTS:])], dim=1)
        return torch.cat([ones, scalars, lengths, vectors.flatten(1)], dim=1)


def _turning(settings: Settings) -> Any:
    irreps = o3.Irreps(f"{settings.vectors}x1o") if settings.vectors else o3.Irreps("")
    return irreps + (o3.Irreps(f"{settings.tensors}x2e") if settings.tensors else o3.Irreps(""))


def _paths(first: Any, second: Any, outputs: Any) -> tuple[Any, list[tuple[int, int, int, str, bool]]]:
    """Return the products of features and harmonics that give the requested output, as e3nn instructions."""
    irreps: list[tuple[int, Any]] = []
    paths: list[tuple[int, int, int, str, bool]] = []
    for i, (multiplicity, irrep) in enumerate(first):
        for j, (_, other) in enumerate(second):
            for result in irrep * other:
                if result in outputs:
                    paths.append((i, j, len(irreps), "uvu", True))
                    irreps.append((multiplicity, result))
    ordered, order, _ = o3.Irreps(irreps).sort()
    return ordered, [(i, j, order[k], mode, train) for i, j, k, mode, train in paths]
