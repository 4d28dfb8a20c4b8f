"""The plan of a frozen potential-energy surface as data: made where spglib is, read where the potential is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.frozen.grid import Host

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Operations:
    """Symmetry operations x' = R x + t in fractional coordinates.

    :param rotations: (m, 3, 3), whole numbers.
    :param translations: (m, 3).
    """

    rotations: IntArray = field(default_factory=lambda: np.eye(3, dtype=np.int64)[None])
    translations: FloatArray = field(default_factory=lambda: np.zeros((1, 3)))

    def __len__(self) -> int:
        return len(self.rotations)

    def images(self, point: FloatArray) -> FloatArray:
        """Return where each operation puts a point, fractional, (m, 3)."""
        places: FloatArray = self.rotations @ point + self.translations
        return places

    def select(self, which: Any) -> Operations:
        """Return some of the operations, by a mask or by indices."""
        return Operations(self.rotations[which], self.translations[which])


@dataclass(frozen=True)
class Hop:
    """A hop to a vacancy, and all that are equivalent to it.

    :param ions: indices of the mobile ion that moves, and of the one that is removed.
    :param vacancy: fractional coordinates of the empty site, in the cell of its image, (3,).
    :param edges: for each equivalent hop the two mobile ions, by their index, and the cell of the second, (m, 5).
    """

    ions: tuple[int, int]
    vacancy: FloatArray
    edges: IntArray


@dataclass(frozen=True)
class MapPlan:
    """One map: a host, and the sites of the ion that moves in it.

    :param host: what stays in place; its cell is that of the map.
    :param moved: atomic number of the ion.
    :param sites: fractional coordinates of the inequivalent sites of the ion in this host, (k, 3).
    :param multiplicities: how many ions of the crystal each of them stands for, (k,).
    :param multiples: repeats of the cell in which energies are evaluated.
    :param copies: operations of the crystal that carry the ion to each equivalent one, the identity first.
    :param hop: the vacancy that the ion moves to, where there is one.
    """

    host: Host
    moved: int
    sites: FloatArray
    multiplicities: IntArray
    multiples: tuple[int, int, int] = (1, 1, 1)
    copies: Operations = field(default_factory=Operations)
    hop: Hop | None = None

    def simulated(self) -> Host:
        """Return the host in the cell in which energies are evaluated; its symmetry is left out."""
        counts = np.array(self.multiples)
        shifts = np.stack(np.meshgrid(*map(np.arange, self.multiples), indexing="ij"), axis=-1).reshape(-1, 3)
        fractions = ((self.host.fractions[None] + shifts[:, None]) / counts).reshape(-1, 3)
        numbers = np.tile(self.host.numbers, len(shifts))
        cell, identity = self.host.cell * counts[:, None], Operations()
        return Host(cell, numbers, fractions, identity.rotations, identity.translations, self.host.tolerance_A)


@dataclass(frozen=True)
class FrozenPlan:
    """All maps of a crystal.

    :param others: what becomes of the other mobile ions: ``removed``, ``kept`` or ``vacancy``.
    :param cell: of the crystal that ``mobile`` is in, rows, angstrom, (3, 3).
    :param mobile: fractional coordinates of the mobile ions, (n, 3).
    :param orbits: for each of them the index of the first equivalent one, (n,).
    :param multiples: repeats of the primitive (or given) cell in the simulated one.
    :param n_atoms: atoms of the simulated cell, the moved ion among them.
    :param maps: one for each inequivalent ion (``kept``) or hop (``vacancy``), or a single one (``removed``).
    """

    others: str
    cell: FloatArray
    mobile: FloatArray
    orbits: IntArray
    multiples: tuple[int, int, int]
    n_atoms: int
    maps: tuple[MapPlan, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {
            "others": self.others,
            "cell": self.cell.tolist(),
            "mobile": self.mobile.tolist(),
            "orbits": self.orbits.tolist(),
            "multiples": list(self.multiples),
            "n_atoms": self.n_atoms,
            "maps": [_map_to_dict(one) for one in self.maps],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrozenPlan:
        """Return the plan that :meth:`to_dict` wrote.

        :raises KeyError, ValueError, TypeError: where it is not one.
        """
        a, b, c = (int(count) for count in data["multiples"])
        return cls(
            str(data["others"]),
            np.asarray(data["cell"], dtype=float).reshape(3, 3),
            np.asarray(data["mobile"], dtype=float).reshape(-1, 3),
            np.asarray(data["orbits"], dtype=np.int64),
            (a, b, c),
            int(data["n_atoms"]),
            tuple(_map_from_dict(one) for one in data["maps"]),
        )


def _map_to_dict(plan: MapPlan) -> dict[str, Any]:
    host = plan.host
    return {
        "cell": host.cell.tolist(),
        "numbers": host.numbers.tolist(),
        "fractions": host.fractions.tolist(),
        "operations": _operations_to_lists(Operations(host.rotations, host.translations)),
        "tolerance_A": host.tolerance_A,
        "moved": plan.moved,
        "sites": plan.sites.tolist(),
        "multiplicities": plan.multiplicities.tolist(),
        "multiples": list(plan.multiples),
        "copies": _operations_to_lists(plan.copies),
        "hop": plan.hop and _hop_to_dict(plan.hop),
    }


def _map_from_dict(data: Mapping[str, Any]) -> MapPlan:
    operations, hop = _operations_from_lists(data["operations"]), data["hop"]
    a, b, c = (int(count) for count in data["multiples"])
    return MapPlan(
        Host(
            np.asarray(data["cell"], dtype=float).reshape(3, 3),
            np.asarray(data["numbers"], dtype=np.int64),
            np.asarray(data["fractions"], dtype=float).reshape(-1, 3),
            operations.rotations,
            operations.translations,
            float(data["tolerance_A"]),
        ),
        int(data["moved"]),
        np.asarray(data["sites"], dtype=float).reshape(-1, 3),
        np.asarray(data["multiplicities"], dtype=np.int64),
        (a, b, c),
        _operations_from_lists(data["copies"]),
        hop and _hop_from_dict(hop),
    )


def _hop_to_dict(hop: Hop) -> dict[str, Any]:
    return {"ions": list(hop.ions), "vacancy": hop.vacancy.tolist(), "edges": hop.edges.tolist()}


def _hop_from_dict(data: Mapping[str, Any]) -> Hop:
    moved, removed = (int(ion) for ion in data["ions"])
    edges = np.asarray(data["edges"], dtype=np.int64).reshape(-1, 5)
    return Hop((moved, removed), np.asarray(data["vacancy"], dtype=float), edges)


def _operations_to_lists(operations: Operations) -> list[Any]:
    return [operations.rotations.tolist(), operations.translations.tolist()]


def _operations_from_lists(lists: list[Any]) -> Operations:
    rotations, translations = lists
    return Operations(
        np.asarray(rotations, dtype=np.int64).reshape(-1, 3, 3), np.asarray(translations, dtype=float).reshape(-1, 3)
    )
