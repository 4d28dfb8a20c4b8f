"""How far running ensembles are: members that have ended, members that run, and members that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiida import orm

from aiida_ion.queries.ensembles import CALLED, MEMBERS
from aiida_ion.queries.reading.shared import CONDUCTIVITY_PROCESS, frame
from aiida_ion.queries.running.processes import ENDED


def member_progress(pks: Sequence[int]) -> dict[int, str]:
    """Return in words how far the members of ensembles are, by pk; nothing before their cells are drawn.

    Members start in the order of their labels, so that one without a process before the last that started was found in
    the database.

    :param pks: of the work chains.
    """
    if not pks:  # an empty list is not a valid filter
        return {}
    drawn, called = _drawn(pks), _called(pks)
    words = {}
    for pk, (labels, asked) in drawn.items():
        own = {label: ended for chain, label, ended in called if chain == pk}
        before = labels.index(max(own)) + 1 if own and max(own) in labels else len(own)
        n_running = sum(not ended for ended in own.values())
        number = max(asked, before)
        more = f", {len(labels) - number} more drawn" if len(labels) > number else ""
        words[pk] = f"{before - n_running} of {number} members have ended, {n_running} running{more}"
    return words


def _drawn(pks: Sequence[int]) -> dict[int, tuple[list[str], int]]:
    """Return for each ensemble the labels of its cells, and how many are computed at first."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    query.append(orm.Dict, with_incoming="chain", edge_filters={"label": "ensemble"}, project=["attributes.members"])
    described = frame(query, ["pk", "members"], {"members": "list"})
    labels: dict[int, list[str]] = {
        int(pk): [f"o{number:03d}" for number in range(len(members))]
        for pk, members in zip(described["pk"], described["members"], strict=True)
        if isinstance(members, list)
    }
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    query.append(orm.StructureData, with_outgoing="chain", edge_project=["label"])
    given = frame(query, ["pk", "link"])
    for pk, group in given[given["link"].astype(str).str.startswith(MEMBERS)].groupby("pk"):
        labels[int(str(pk))] = sorted(group["link"].str.removeprefix(MEMBERS))
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    asked = {"label": "parameters"}
    query.append(orm.Dict, with_outgoing="chain", edge_filters=asked, project=["attributes.n_members"])
    numbers: dict[int, Any] = dict(frame(query, ["pk", "n_members"]).dropna().itertuples(index=False))
    return {pk: (names, min(len(names), int(numbers.get(pk, len(names))))) for pk, names in labels.items()}


def _called(pks: Sequence[int]) -> list[tuple[int, str, bool]]:
    """Return for each member that started its ensemble, its label and whether it has ended."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    query.append(
        orm.WorkChainNode,
        with_incoming="chain",
        filters={"process_type": CONDUCTIVITY_PROCESS},
        edge_project=["label"],
        project=["attributes.process_state"],
    )
    table = frame(query, ["pk", "process_state", "link"])
    return [
        (int(row["pk"]), str(row["link"]).removeprefix(CALLED), row["process_state"] in ENDED)
        for row in table.to_dict("records")
    ]
