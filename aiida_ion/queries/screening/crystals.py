"""Formulas and cells of the crystals of screenings."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import frame
from aiida_ion.queries.reading.uuids import is_uuid

#: Extra of a crystal with its hash, see `aiida_ion.calculations.screening.batch`.
HASH_EXTRA = "aiida_ion_structure_hash_1"


@dataclass(frozen=True)
class CrystalFacts:
    """What is known of a crystal.

    :param pk: of its node.
    :param formula: reduced formula, ``None`` if the node does not say its atoms.
    :param structure_hash: hash of the crystal, in whatever cell, where it was computed.
    :param composition: element -> number in the cell.
    :param volume_A3: of the cell, angstrom^3.
    :param volume_per_atom_A3: angstrom^3.
    """

    pk: int
    formula: str | None
    structure_hash: str | None
    composition: dict[str, float]
    volume_A3: float | None
    volume_per_atom_A3: float | None

    def density_of(self, element: str | None) -> float | None:
        """Return the number of atoms of an element per angstrom^3."""
        return self.composition.get(element or "", 0.0) / self.volume_A3 if self.volume_A3 and element else None


#: Facts by UUID: nodes never change.
_KNOWN: dict[str, CrystalFacts] = {}
_MOST_KNOWN = 100_000


def crystal_facts(uuids: Collection[str]) -> dict[str, CrystalFacts]:
    """Return what is known of crystals, by UUID; those that are not in the database are missing."""
    missing = [uuid for uuid in dict.fromkeys(uuids) if is_uuid(uuid) and uuid not in _KNOWN]
    if missing:
        if len(_KNOWN) + len(missing) > _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN.update(_read(missing))
    return {uuid: _KNOWN[uuid] for uuid in dict.fromkeys(uuids) if uuid in _KNOWN}


def _read(uuids: Sequence[str]) -> dict[str, CrystalFacts]:
    names = ["id", "uuid", f"extras.{HASH_EXTRA}", "attributes.kinds", "attributes.sites", "attributes.cell"]
    query = orm.QueryBuilder().append(orm.StructureData, filters={"uuid": {"in": list(uuids)}}, project=names)
    kinds = {"structure_hash": "text", "cell": "list"}
    table = frame(query, ["pk", "uuid", "structure_hash", "kinds", "sites", "cell"], kinds)
    return {row["uuid"]: _facts(row) for row in table.to_dict("records")}


def _facts(row: dict[Any, Any]) -> CrystalFacts:
    counts = _composition(row["kinds"], row["sites"])
    digest = row["structure_hash"] if isinstance(row["structure_hash"], str) else None
    formula, volume, n_atoms = _formula(tuple(sorted(counts.items()))), _volume(row["cell"]), sum(counts.values())
    return CrystalFacts(
        int(row["pk"]), formula, digest, counts, volume, volume / n_atoms if volume and n_atoms else None
    )


def _composition(kinds: Any, sites: Any) -> dict[str, float]:
    """Return how many atoms of each element there are, as far as the attributes say."""
    parts: dict[str, list[tuple[str, float]]] = {}
    for kind in kinds if isinstance(kinds, list) else []:
        if isinstance(kind, dict) and isinstance(kind.get("symbols"), list) and isinstance(kind.get("weights"), list):
            weights = [read_number(weight) or 0.0 for weight in kind["weights"]]
            parts[str(kind.get("name"))] = list(zip(map(str, kind["symbols"]), weights, strict=False))
    counts: Counter[str] = Counter()
    for site in sites if isinstance(sites, list) else []:
        for symbol, weight in parts.get(str(site.get("kind_name")), []) if isinstance(site, dict) else []:
            counts[symbol] += weight  # type: ignore[assignment]
    return {symbol: float(number) for symbol, number in counts.items() if number > 0}


@functools.lru_cache(maxsize=50_000)
def _formula(composition: tuple[tuple[str, float], ...]) -> str | None:
    from pymatgen.core.composition import Composition
    from pymatgen.core.periodic_table import Element

    if not composition or not all(Element.is_valid_symbol(symbol) for symbol, _ in composition):
        return None
    return str(Composition(dict(composition)).reduced_formula)


def _volume(cell: Any) -> float | None:
    """Return the volume of a cell of three vectors, angstrom^3."""
    try:
        vectors = np.array([[read_number(number) for number in vector] for vector in cell], dtype=float)
    except (TypeError, ValueError):
        return None
    if vectors.shape != (3, 3) or not np.isfinite(vectors).all():
        return None
    with np.errstate(all="ignore"):
        volume = abs(float(np.linalg.det(vectors)))
    return volume if np.isfinite(volume) and volume > 0 else None
