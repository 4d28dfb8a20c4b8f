"""Crystals of OBELiX as nodes: run as they are or, with partly occupied sites, ordered into ensembles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiida import orm

from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.analysis.disorder.members_needed import members_needed
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.calculations.experiment import ORDERED_AS, check_link
from aiida_ion.campaigns.obelix.orderings import ordering_of, target_of
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.structures import READ_FROM, node_of
from aiida_ion.crystal_files.disordered import read_disordered_cif
from aiida_ion.crystal_files.report import report_of
from aiida_ion.datasets.obelix import DATASET, Entry
from aiida_ion.datasets.obelix_crystals import NEARLY_FULL, read_entry
from aiida_ion.queries.experiments import experiments


@dataclass(frozen=True)
class Material:
    """An entry and its crystal: the stored node if the database has it already.

    :param ordering: of a crystal with partly occupied sites, what its ordering is told beside the settings of all.
    :param n_orderings: of such a crystal, how many ordered cells are drawn.
    :param ordered_as: of such a crystal, the composition of its cells where it is the table's and not the file's.
    """

    entry: Entry
    structure: orm.StructureData
    ordering: dict[str, Any] | None = None
    n_orderings: int | None = None
    ordered_as: str | None = None

    @property
    def name(self) -> str:
        """Its name in titles and, with an underscore, in links."""
        return f"{DATASET} {self.entry.entry_id}"

    @property
    def facts(self) -> dict[str, Any]:
        """What its link to the measurement records."""
        return self.entry.attributes() | ({ORDERED_AS: self.ordered_as} if self.ordered_as else {})

    def request(self, shared: RunRequest) -> RunRequest:
        """Return what is asked of it: of a disordered crystal with the settings of its own ordering."""
        if self.ordering is None:
            return shared
        settings = {**(shared.ordering_settings or {}), **self.ordering}
        return replace(shared, orderings=self.n_orderings, ordering_settings=settings)


def materials_of(
    entries: Sequence[Entry], settings: OrderingSettings | None = None
) -> tuple[list[Material], list[str]]:
    """Return the crystals that can be simulated, and why each of the others cannot.

    :param settings: of the orderings of crystals with partly occupied sites; without them these are refused.
    """
    links = experiments()
    links = links[(links["dataset"] == DATASET) & links["from_dataset"].eq(True)]
    ids = zip(links["entry_id"], links["cif_sha256"], strict=True)
    stored = dict(zip(ids, links["structure_pk"].tolist(), strict=True))
    materials, refused = [], []
    for entry in entries:
        pk = stored.get((entry.entry_id, entry.attributes()["cif_sha256"]))
        node: Any = None if pk is None else orm.load_node(pk)
        try:
            is_disordered = settings is not None and _is_disordered(entry)
            of_kind = _disordered(entry, node, settings) if is_disordered and settings else _ordered(entry, node)
            materials.append(of_kind)
        except ValueError as error:
            refused.append(" ".join(str(error).split()))
    return materials, refused


def _is_disordered(entry: Entry) -> bool:
    return entry.cif is not None and entry.smallest_occupancy is not None and entry.smallest_occupancy < NEARLY_FULL


def _ordered(entry: Entry, stored: Any) -> Material:
    """Return a crystal that is run as it is.

    :raises ValueError: for one that cannot be.
    """
    return Material(
        entry, stored if stored is not None else _labelled(entry, node_of(read_entry(entry)), entry.attributes())
    )


def _disordered(entry: Entry, stored: Any, settings: OrderingSettings) -> Material:
    """Return a crystal that is ordered first.

    :raises ValueError: for one that cannot be; the message says why.
    """
    try:
        file = read_disordered_cif(entry.cif or "", entry.entry_id)
        plan = ordering_of(disordered_crystal(file.structure), entry, settings)
    except ValueError as error:
        raise ValueError(f"{DATASET} {entry.entry_id}: {str(error).removeprefix(f'{entry.entry_id}: ')}") from error
    target = target_of(plan.crystal, entry)
    node = stored if stored is not None else orm.StructureData(pymatgen=file.structure)
    material = Material(
        entry,
        node,
        ordering={"target_composition": target},
        n_orderings=members_needed(plan, settings.n_orderings),
        ordered_as=target if plan.mobile_source == "target_composition" else None,
    )
    if stored is None:
        digest = hashlib.sha256((entry.cif or "").encode()).hexdigest()
        report = report_of(file.structure, file.reading, f"{entry.entry_id}.cif", digest).attributes()
        node.base.extras.set(READ_FROM, {**report, "n_atoms": None})  # its sites are not atoms
        _labelled(entry, node, material.facts)
    return material


def _labelled(entry: Entry, node: orm.StructureData, facts: dict[str, Any]) -> orm.StructureData:
    """Return a new node with a name, once it is the compound of the entry.

    :raises ValueError: if it is another compound.
    """
    node.label = f"{DATASET} {entry.entry_id}"
    node.description = f"{entry.formula}, public structure file of {DATASET}"
    check_link(node, facts)
    return node
