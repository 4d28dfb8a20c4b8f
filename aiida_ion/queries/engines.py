"""The registered engines."""

from __future__ import annotations

from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries.reading import shared
from aiida_ion.queries.reading.kinds import Attributes, read_attributes, read_column

ENGINE_COLUMNS = [
    "pk",
    "name",
    "computer",
    "entry_point",
    "potential",
    "model",
    "device",
    "program",
    "job_options",
    "max_jobs",
    "checkpoint_sha256",
    "versions",
    "steps_per_s",
    "tested",
    "parent",
    "dataset_uuid",
    "held_out_force_mae_eV_A",
]


def engine_table() -> pd.DataFrame:
    """Return one row for each registered engine: its computer, potential, and the result of its last test.

    One whose potential was trained here has its parent, its dataset, and its force error on frames for test.
    """
    query = orm.QueryBuilder()
    query.append(orm.Computer, project=["label"], tag="computer")
    query.append(
        orm.InstalledCode,
        with_computer="computer",
        filters={"extras": {"has_key": "ion"}},
        project=["id", "label", "extras.ion", "attributes.filepath_executable", "extras.hidden"],
    )
    stored, rows = shared.rows(query), []
    for computer, pk, name, extra, program, hidden in stored:
        if hidden:  # replaced by another one of the same name
            continue
        about = read_attributes(extra)
        tested, potential, choices = (_mapping(about[key]) for key in ("tested", "potential", "choices"))
        trained = _mapping(about["trained"])
        rows.append(
            {
                "pk": pk,
                "name": name,
                "computer": computer,
                "entry_point": _word(about["entry_point"]),
                "potential": _word(
                    potential["name"] or choices["pseudo_family"] or choices["potential_family"],
                ),
                "model": _word(potential["model"]),
                "device": _word(potential["device"]),
                "program": _word(program),
                "job_options": dict(_mapping(about["job_options"])),
                "max_jobs": read_column("count", [about["max_jobs"]])[0],
                "checkpoint_sha256": _word(potential["checkpoint_sha256"]),
                "versions": tested["versions"] and _mapping(tested["versions"]),
                "steps_per_s": tested["steps_per_s"],
                "tested": _word(tested["time"]),
                "parent": _word(trained["parent"]),
                "dataset_uuid": _word(trained["dataset"]),
                "held_out_force_mae_eV_A": read_column("number", [trained["held_out_force_mae_eV_A"]])[0],
            }
        )
    return pd.DataFrame(rows, columns=ENGINE_COLUMNS).sort_values(["name", "computer"], ignore_index=True)


def _mapping(value: Any) -> Attributes:
    return value if isinstance(value, Attributes) else Attributes()


def _word(value: Any) -> str | None:
    word: str | None = read_column("text", [value])[0]
    return word
