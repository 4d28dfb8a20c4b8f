"""What a network says does not change with the observer, nor with the choice of the cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from aiida_ion.surrogate.features import AtomFeatures, feature_sizes
from aiida_ion.surrogate.graphs import joined, make_graph
from aiida_ion.surrogate.network import Network
from aiida_ion.surrogate.settings import Settings

#: An angstrom of tolerance per unit of output, as asked of single precision.
CLOSE = 1e-5
N_ATOMS = 24
KINDS = {
    "vectors": Settings(pool="mobile"),
    "tensors": Settings(scalars=6, vectors=4, tensors=3, pool="mobile"),
    "many": Settings(
        kind="short_md", inputs=("accelerations", "mobile", "displacements", "later_motion"), scalars=6, vectors=4
    ),
    "species": Settings(inputs=("species",), scalars=6, vectors=2),
}


class Crystal:
    """Atoms at random in a triclinic cell, smaller than twice the cutoff in one direction."""

    def __init__(self, settings: Settings, seed: int = 1) -> None:
        generator = np.random.default_rng(seed)
        n_vectors, n_scalars = feature_sizes(settings)
        self.settings = settings
        self.cell = np.diag([6.0, 8.0, 11.0]) + generator.normal(scale=0.4, size=(3, 3))
        self.positions = generator.uniform(size=(N_ATOMS, 3)) @ self.cell
        self.vectors = generator.normal(size=(N_ATOMS, n_vectors, 3))
        self.scalars = generator.uniform(size=(N_ATOMS, n_scalars))
        self.mobile = np.arange(N_ATOMS) % 3 == 0

    def said(self, network: Network, **changes: Any) -> float:
        """Return what a network says of this crystal with some of it changed."""
        one = {name: changes.get(name, getattr(self, name)) for name in vars(self)}
        features = AtomFeatures(one["vectors"], one["scalars"])
        graph = make_graph(features, one["positions"], one["cell"], one["mobile"], self.settings)
        with torch.no_grad():
            return float(network(graph, torch.zeros(1, 0)))


@pytest.fixture(params=KINDS)
def crystal(request: pytest.FixtureRequest) -> Crystal:
    return Crystal(KINDS[request.param])


@pytest.fixture
def network(crystal: Crystal) -> Network:
    torch.manual_seed(3)
    return Network(crystal.settings, 0).eval()


def test_rotations_and_reflections(crystal: Crystal, network: Network) -> None:
    text = crystal.said(network)
    for seed, sign in ((1, 1.0), (2, -1.0)):
        turn = sign * Rotation.random(random_state=seed).as_matrix().T
        turned = {name: getattr(crystal, name) @ turn for name in ("cell", "positions", "vectors")}
        assert crystal.said(network, **turned) == pytest.approx(text, abs=CLOSE)


def test_permutations_and_translations(crystal: Crystal, network: Network) -> None:
    text = crystal.said(network)
    order = np.random.default_rng(5).permutation(N_ATOMS)
    dealt = {name: getattr(crystal, name)[order] for name in ("positions", "vectors", "scalars", "mobile")}
    assert crystal.said(network, **dealt) == pytest.approx(text, abs=CLOSE)
    moved = crystal.positions + np.array([3.3, -17.0, 40.0])
    assert crystal.said(network, positions=moved) == pytest.approx(text, abs=CLOSE)
    images = np.random.default_rng(6).integers(-3, 4, size=(N_ATOMS, 3)) @ crystal.cell
    assert crystal.said(network, positions=crystal.positions + images) == pytest.approx(text, abs=CLOSE)


def test_the_choice_of_the_cell(crystal: Crystal, network: Network) -> None:
    text = crystal.said(network)
    other = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]]) @ crystal.cell
    assert crystal.said(network, cell=other) == pytest.approx(text, abs=CLOSE)
    repeated = {name: np.concatenate([getattr(crystal, name)] * 2) for name in ("vectors", "scalars", "mobile")}
    positions = np.concatenate([crystal.positions, crystal.positions + crystal.cell[0]])
    cell = crystal.cell * np.array([2, 1, 1])[:, None]
    assert crystal.said(network, positions=positions, cell=cell, **repeated) == pytest.approx(text, abs=CLOSE)


@pytest.mark.parametrize("crystal", [name for name in KINDS if name != "species"], indirect=True)
def test_accelerations_are_seen(crystal: Crystal, network: Network) -> None:
    text = crystal.said(network)
    assert abs(crystal.said(network, vectors=-crystal.vectors) - text) > 10 * CLOSE
    assert abs(crystal.said(network, vectors=2 * crystal.vectors) - text) > 10 * CLOSE


def test_only_the_atoms_that_are_pooled_decide_beyond_the_neighbours() -> None:
    settings = replace(KINDS["vectors"], n_layers=1)
    torch.manual_seed(3)
    crystal, network = Crystal(settings), Network(settings, 0).eval()
    with pytest.raises(ValueError, match="no mobile ion"):
        crystal.said(network, mobile=np.zeros(N_ATOMS, dtype=bool))


def test_graphs_that_are_joined_do_not_see_each_other() -> None:
    settings = KINDS["vectors"]
    torch.manual_seed(3)
    network = Network(settings, 2).eval()
    graphs = []
    for seed in (1, 2, 3):
        one = Crystal(settings, seed)
        graphs.append(make_graph(AtomFeatures(one.vectors, one.scalars), one.positions, one.cell, one.mobile, settings))
    invariants = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
    with torch.no_grad():
        together = network(joined(graphs), invariants)
        apart = torch.cat([network(one, given[None]) for one, given in zip(graphs, invariants, strict=True)])
    assert torch.allclose(together, apart, atol=CLOSE)
    assert together.std() > 1e-3
