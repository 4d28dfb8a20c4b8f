"""What was measured of the crystals in the database."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm
from pymatgen.core.composition import Composition

from aiida_ion.queries.selection import Selection
from aiida_ion.queries.shared import attributes, frame

EXPERIMENT_PROCESS = "aiida_ion.calculations.experiment.link_experiment"
EXPERIMENT_FIELDS = (
    "formula",
    "dataset",
    "entry_id",
    "entry_formula",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "bulk_ionic_conductivity_mS_cm",
    "total_ionic_conductivity_mS_cm",
    "temperature_K",
    "conductivity_kind",
    "close_match",
    "partly_occupied",
    "perturbed",
    "checked",
    "composition_difference",
    "family",
    "space_group",
    "doi",
    "cif_sha256",
    "from_dataset",
)
EXPERIMENT_COLUMNS = (*EXPERIMENT_FIELDS, "structure_pk", "structure_uuid", "pk", "uuid", "time")


def experiments(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each measurement that is linked to a crystal: conductivity (mS/cm) at a temperature (K).

    A measurement that is only an upper bound has no value. ``conductivity_kind`` is that of the stated conductivity,
    ``total`` or ``bulk``, missing where the dataset does not say; ``from_dataset`` whether the crystal is the
    dataset's own. Of several links between the same crystal and entry the newest counts.

    :param selection: its level of theory and grades say nothing of a measurement.
    """
    chosen = selection or Selection()
    query = orm.QueryBuilder()
    query.append(orm.StructureData, project=["id", "uuid"], tag="structure")
    query.append(
        orm.CalcFunctionNode,
        with_incoming="structure",
        filters={"process_type": EXPERIMENT_PROCESS, "attributes.exit_status": 0},
        tag="link",
    )
    said = ["id", "uuid", "ctime", *attributes(EXPERIMENT_FIELDS)]
    query.append(orm.Dict, with_incoming="link", filters=_filters(chosen), project=said)
    names = ["structure_pk", "structure_uuid", "pk", "uuid", "time", *EXPERIMENT_FIELDS]
    table = frame(query, names).sort_values("pk")
    table = table.drop_duplicates(["structure_pk", "dataset", "entry_id"], keep="last")
    if chosen.elements:
        table = table[[_has(formula, chosen.elements) for formula in table["formula"]]]
    if chosen.group is not None:
        inside = _structures_of(chosen.group)
        table = table[table["structure_pk"].isin(inside) | table["pk"].isin(inside)]
    order = ["dataset", "entry_id", "structure_pk"]
    return table[list(EXPERIMENT_COLUMNS)].sort_values(order, ignore_index=True)


def _filters(selection: Selection) -> dict[str, Any]:
    wanted: list[dict[str, Any]] = []
    if selection.formula is not None:
        wanted.append({"attributes.formula": selection.formula})
    if selection.temperature_K is not None:
        low, high = selection.temperature_K
        wanted += [{"attributes.temperature_K": {">=": low}}, {"attributes.temperature_K": {"<=": high}}]
    if selection.since is not None:
        wanted.append({"ctime": {">=": selection.since}})
    if selection.until is not None:
        wanted.append({"ctime": {"<=": selection.until}})
    return {"and": wanted} if wanted else {}


def _has(formula: str, elements: tuple[str, ...]) -> bool:
    return set(elements) <= {element.symbol for element in Composition(formula).elements}


def _structures_of(group: str) -> set[int]:
    """Return the nodes of a group, and the crystals that its work chains started from."""
    query = orm.QueryBuilder()
    query.append(orm.Group, filters={"label": group}, tag="group")
    query.append(orm.Data, with_group="group", project=["id"])
    inside = {pk for (pk,) in query.all()}
    query = orm.QueryBuilder()
    query.append(orm.Group, filters={"label": group}, tag="group")
    query.append(orm.WorkChainNode, with_group="group", tag="chain")
    query.append(orm.StructureData, with_outgoing="chain", project=["id"])
    return inside | {pk for (pk,) in query.all()}
