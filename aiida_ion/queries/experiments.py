"""Measurements of the crystals in the database."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from aiida import orm

from aiida_ion.aiida_private.caching import HASH
from aiida_ion.queries.lineage import crystal_keys
from aiida_ion.queries.reading.shared import as_text, attributes, finished, frame, of_function
from aiida_ion.queries.selection import Selection, members_of

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
FLAGS = ("close_match", "partly_occupied", "perturbed", "checked", "from_dataset")
EXPERIMENT_COLUMNS = (*EXPERIMENT_FIELDS, "structure_pk", "structure_uuid", "crystal", "pk", "uuid", "time")


def experiments(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each measurement linked to a crystal: conductivity (mS/cm) at a temperature (K).

    A measurement that is only an upper bound has no value. ``conductivity_kind`` is that of the stated conductivity,
    ``total`` or ``bulk``, if known; ``from_dataset`` whether the crystal is the dataset's own. Of several links between
    the same crystal and entry the newest counts. ``crystal`` is the key that its results have, too.

    :param selection: level of theory and grades are ignored for measurements.
    """
    chosen = replace(selection or Selection(), level_of_theory=None)
    query = orm.QueryBuilder()
    query.append(orm.StructureData, project=["id", "uuid", as_text(HASH)], tag="structure")
    query.append(
        orm.CalcFunctionNode,
        with_incoming="structure",
        filters=of_function("link_experiment") | {"attributes.exit_status": 0},
        tag="link",
    )
    columns = ["id", "uuid", "ctime", *attributes(EXPERIMENT_FIELDS)]
    query.append(orm.Dict, with_incoming="link", filters=chosen.filters(), project=columns)
    names = ["structure_pk", "structure_uuid", "hash", "pk", "uuid", "time", *EXPERIMENT_FIELDS]
    table = frame(query, names).sort_values("pk")
    table["crystal"] = crystal_keys(table["hash"], table["structure_uuid"])
    table = table.drop_duplicates(["structure_pk", "dataset", "entry_id"], keep="last")
    table = replace(chosen, group=None).rest(table, [], "temperature_K")
    if chosen.group is not None:
        inside = members_of(chosen.group) | _crystals_of(chosen.group)
        table = table[table[["structure_pk", "pk"]].isin(inside).any(axis=1)]
    table = finished(table, ["dataset", "entry_id", "structure_pk"])[list(EXPERIMENT_COLUMNS)]
    return table.astype(dict.fromkeys(FLAGS, "boolean"))  # SQLite has no booleans, only 0 and 1


def _crystals_of(group: str) -> set[int]:
    """Return the input crystals of the work chains of a group."""
    query = orm.QueryBuilder()
    query.append(orm.Group, filters={"label": group}, tag="group")
    query.append(orm.WorkChainNode, with_group="group", tag="chain")
    query.append(orm.StructureData, with_outgoing="chain", project=["id"])
    return set(query.all(flat=True))
