"""The registered engines."""

from __future__ import annotations

import pandas as pd
from aiida import orm

ENGINE_COLUMNS = [
    "pk",
    "name",
    "computer",
    "entry_point",
    "potential",
    "model",
    "device",
    "program",
    "checkpoint_sha256",
    "versions",
    "steps_per_s",
    "tested",
]


def engine_table() -> pd.DataFrame:
    """Return one row for each registered engine: its computer, potential, and what its last test found."""
    query = orm.QueryBuilder()
    query.append(orm.Computer, project=["label"], tag="computer")
    query.append(
        orm.InstalledCode,
        with_computer="computer",
        filters={"extras": {"has_key": "ion"}},
        project=["id", "label", "extras.ion", "attributes.filepath_executable", "extras.hidden"],
    )
    rows = []
    for computer, pk, name, about, program, hidden in query.all():
        if hidden:  # replaced by another of that name
            continue
        tested, potential, choices = (about.get(key) or {} for key in ("tested", "potential", "choices"))
        rows.append(
            {
                "pk": pk,
                "name": name,
                "computer": computer,
                "entry_point": about["entry_point"],
                "potential": potential.get("name") or choices.get("pseudo_family") or choices.get("potential_family"),
                "model": potential.get("model"),
                "device": potential.get("device"),
                "program": program,
                "checkpoint_sha256": potential.get("checkpoint_sha256"),
                "versions": tested.get("versions"),
                "steps_per_s": tested.get("steps_per_s"),
                "tested": tested.get("time"),
            }
        )
    return pd.DataFrame(rows, columns=ENGINE_COLUMNS).sort_values(["name", "computer"], ignore_index=True)
