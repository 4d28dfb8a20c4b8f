"""Several archives that are read as one database: which of them a node is from."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass


@dataclass(frozen=True)
class Archives:
    """The archives that are open together.

    :param names: those of their files, or their paths where two have one name.
    :param last_pks: largest pk of the nodes that are of each; those of the next begin after it.
    :param n_repeated: nodes that an earlier archive has, too.
    :param n_different: how many of them have another content there; what is shown is that of the first archive.
    """

    names: tuple[str, ...]
    last_pks: tuple[int, ...]
    n_repeated: int
    n_different: int

    def name_of(self, pk: int) -> str:
        """Return the archive that a node is from, the first where several have it.

        :raises ValueError: if there is no such node.
        """
        place = bisect_left(self.last_pks, pk)
        if pk < 1 or place == len(self.names):
            raise ValueError(f"no archive has a node with PK {pk}")
        return self.names[place]
