"""Which conductivities are members of an ensemble, so that no crystal is counted by each of its ordered cells."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.lineage import callers, lineage
from aiida_ion.queries.reading.shared import CONDUCTIVITY_PROCESS, ENSEMBLE_PROCESS, frame, whole

#: Start of the link labels of members given and returned, and of those of their work chains.
MEMBERS, CALLED = "members__", "member_"
#: Link labels of the pooled diffusivities of an ensemble.
POOLED = "diffusion\\_\\_%"


def members() -> pd.DataFrame:
    """Return the members of ensembles, each once, of the newest ensemble that it belongs to.

    Columns: ``process_pk`` of its work chain, its ``label``, ``ensemble_process_pk``, and ``ensemble_uuid``, that of
    the pooled conductivity, missing where there is none yet.
    """
    called = callers([CONDUCTIVITY_PROCESS], ENSEMBLE_PROCESS)
    called = called.rename(columns={"pk": "process_pk", "caller_pk": "ensemble_process_pk"})
    called["label"] = [str(link).removeprefix(CALLED) for link in called["link"]]
    columns = ["process_pk", "label", "ensemble_process_pk"]
    listed = pd.concat([_of_outputs()[columns], called[columns]], ignore_index=True)
    listed = listed.sort_values("ensemble_process_pk").drop_duplicates("process_pk", keep="last")
    return whole(listed.merge(_pooled(), how="left", on="ensemble_process_pk"), ["process_pk", "ensemble_process_pk"])


def _of_outputs() -> pd.DataFrame:
    """Return the members that have a result, those that an ensemble found in the database included."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": ENSEMBLE_PROCESS}, project=["id"], tag="ensemble")
    query.append(orm.ArrayData, with_incoming="ensemble", edge_project=["label"], project=["id"], tag="member")
    given: dict[str, Any] = {"process_type": CONDUCTIVITY_PROCESS}
    query.append(orm.WorkChainNode, with_outgoing="member", filters=given, project=["id"])
    table = frame(query, ["ensemble_process_pk", "member_pk", "process_pk", "label"])
    labels = table["label"].astype(str)
    return table.assign(label=labels.str.removeprefix(MEMBERS))[labels.str.startswith(MEMBERS)]


def _pooled() -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": ENSEMBLE_PROCESS}, project=["id"], tag="ensemble")
    query.append(orm.ArrayData, with_incoming="ensemble", edge_filters={"label": "conductivity"}, project=["uuid"])
    return frame(query, ["ensemble_process_pk", "ensemble_uuid"]).drop_duplicates("ensemble_process_pk", keep="last")


def crystals(of: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what `lineage` does; an ordered cell of an ensemble has its own structure, and the ensemble's crystal.

    :param of: the result of `members`, if available.
    """
    known = lineage()
    return known.assign(crystal=one_crystal(known, of)["crystal"])


def one_crystal(crystals: pd.DataFrame, of: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return crystals in which the ordered cells of an ensemble are the crystal that they stand for.

    That is its disordered parent or, where none was given, its first cell.

    :param crystals: of `lineage`.
    :param of: the result of `members`, if available.
    """
    of = members() if of is None else of
    if of.empty:
        return crystals
    names = ["crystal", "structure_pk", "structure_uuid"]
    own = {int(row["process_pk"]): row for row in crystals.to_dict("records")}
    sources: dict[int, dict[Any, Any]] = {}
    for ensemble, group in of.sort_values("label").groupby("ensemble_process_pk"):
        pks = [int(pk) for pk in (ensemble, *group["process_pk"]) if int(pk) in own]
        source = next((own[pk] for pk in pks if isinstance(own[pk]["crystal"], str)), None)
        sources |= dict.fromkeys(pks, source) if source is not None else {}
    changed = crystals.copy()
    for name in names:
        pairs = zip(crystals["process_pk"], crystals[name], strict=True)
        changed[name] = [sources[int(pk)][name] if int(pk) in sources else value for pk, value in pairs]
    return whole(changed, ["structure_pk"])
