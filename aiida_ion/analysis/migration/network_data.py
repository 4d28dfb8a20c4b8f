"""Sites and hops of a crystal as plain data, which programs on compute machines read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Hop:
    """One of a set of equivalent hops.

    :param label: ``hop_01``, by length.
    :param first: number of the site that the ion leaves.
    :param second: number of the site that it goes to.
    :param cell: the cell that the second site is in, when the first is in (0, 0, 0).
    :param length_A: angstrom.
    :param multiplicity: equivalent hops in the cell, without direction.
    :param is_symmetric: whether an operation of the crystal, and of its supercell, exchanges the ends: forces on the
        mid-point then have no component along the hop.
    """

    label: str
    first: int
    second: int
    cell: tuple[int, int, int]
    length_A: float
    multiplicity: int
    is_symmetric: bool


@dataclass(frozen=True)
class HopNetwork:
    """Sites of the mobile ion and the hops between them.

    :param mechanism: ``vacancy``: an ion goes to a site that is empty; ``interstitial``: an ion more than the crystal
        has goes from one empty site to another.
    :param sites: (n, 3), fractions of the cell.
    :param atoms: for each site the atom of the cell that is there, -1 for an empty one.
    :param site_orbits: the lowest equivalent site of each.
    :param hops: one of each set of equivalent hops.
    :param pairs: (m, 2), all hops of the cell, in one direction each.
    :param vectors: (m, 3), the cell of the second site.
    :param members: (m,), which of :attr:`hops` each is equivalent to.
    :param cutoff_A: length up to which all pairs are hops, angstrom.
    :param dimension: in how many dimensions the network is connected.
    :param multiples: supercell that each hop is computed in.
    :param space_group: symbol.
    :param n_passing: pairs left out, whose straight path goes through another site.
    """

    mechanism: str
    sites: list[list[float]]
    atoms: list[int]
    site_orbits: list[int]
    hops: list[Hop]
    pairs: list[list[int]]
    vectors: list[list[int]]
    members: list[int]
    cutoff_A: float
    dimension: int
    multiples: list[int]
    space_group: str
    n_passing: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        content = asdict(self)
        content["hops"] = [hop | {"cell": list(hop["cell"])} for hop in content["hops"]]
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> HopNetwork:
        """Return the network of plain data; entries of later versions are left out."""
        known = {name: content[name] for name in cls.__dataclass_fields__}
        hops = [{name: hop[name] for name in Hop.__dataclass_fields__} for hop in content["hops"]]
        return cls(**known | {"hops": [Hop(**hop | {"cell": tuple(hop["cell"])}) for hop in hops]})
