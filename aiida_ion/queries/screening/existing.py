"""Results of single materials that earlier jobs computed, whatever other materials were in the same job."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.caching import HASH
from aiida_ion.queries.reading.shared import rows
from aiida_ion.queries.reuse import hashes_of_inputs

#: Settings that decide no number, see `aiida_ion.settings.maps`.
MAP_SETTINGS = ("keep_map", "max_map_points")
STRUCTURES, RESULTS, PARAMETERS = "structures__", "results__", "parameters"
#: Statuses of a material that a job says something about; `failed` is a fault that may not come again.
SETTLED = ("finished", "refused")


def existing_results(
    process_type: str, inputs: Mapping[str, Any], structure_hashes: Collection[str], statuses: Collection[str] = SETTLED
) -> dict[str, str]:
    """Return the newest result of each crystal that a job with the same inputs has computed: its hash -> uuid.

    The cache of AiiDA has the inputs of a whole job; a batch of other materials would never be found there.

    :param process_type: of the jobs.
    :param inputs: of a job, but the structures: program, settings, code, potential.
    :param structure_hashes: of the crystals.
    :param statuses: of results that count.
    """
    wanted, shared = set(structure_hashes), hashes_of_inputs(inputs)
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": process_type}, project=["id"], tag="job")
    fields = ["attributes.structure_hash", "attributes.status", "uuid"]
    query.append(orm.Dict, with_incoming="job", edge_filters={"label": {"like": f"{RESULTS}%"}}, project=fields)
    query.order_by({"job": {"id": "asc"}})
    found = [row for row in rows(query) if row[1] in wanted and row[2] in statuses]
    same = _jobs_with(shared, {row[0] for row in found})
    return {digest: uuid for job, digest, _, uuid in found if job in same}


def _jobs_with(shared: Mapping[str, Any], jobs: set[int]) -> set[int]:
    """Return the jobs whose inputs, but the structures, have these hashes."""
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"id": {"in": [*jobs, -1]}}, project=["id"], tag="job")
    others = {"label": {"!like": f"{STRUCTURES}%"}}
    query.append(
        orm.Data, with_outgoing="job", project=[HASH, "attributes"], edge_filters=others, edge_project=["label"]
    )
    known: dict[int, dict[str, Any]] = {job: {} for job in jobs}
    for job, digest, attributes, label in rows(query):
        known[job][label] = attributes if label == PARAMETERS else digest
    return {job for job, inputs in known.items() if _serves(inputs, shared)}


def _serves(inputs: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether inputs give what is wanted: the same, or the same with a map that was not asked for."""
    own, asked = inputs.get(PARAMETERS), wanted.get(PARAMETERS)
    if not isinstance(own, Mapping) or not isinstance(asked, Mapping) or asked.get("keep_map"):
        return dict(inputs) == dict(wanted)
    plain = [{name: value for name, value in one.items() if name not in MAP_SETTINGS} for one in (own, asked)]
    return {**inputs, PARAMETERS: plain[0]} == {**wanted, PARAMETERS: plain[1]}
