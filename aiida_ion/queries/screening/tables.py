"""Tables of screenings: every decision, and every screening."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import finite, whole
from aiida_ion.queries.screening.chains import chains, is_active, stages_of
from aiida_ion.queries.screening.crystals import crystal_facts
from aiida_ion.queries.screening.decisions import NOT_REACHED, stored_decisions
from aiida_ion.queries.selection import Selection
from aiida_ion.units import S_PER_HOUR

DECISION_COLUMNS = (
    *("screening", "formula", "name", "stage", "stage_number", "method", "verdict", "goes_on"),
    *("quantity", "value", "value_low", "value_high", "cut_maximum", "cut_minimum", "reason", "core_s"),
    *("label", "structure_hash", "time", "structure_pk", "structure_uuid", "result_uuid"),
    *("pk", "uuid", "process_pk", "process_uuid"),
)
SCREENINGS_COLUMNS = (
    *("screening", "state", "n_materials", "n_stages", "stages", "last_stage", "n_survivors"),
    *("n_errors", "n_not_reached", "core_s", "exit_message", "time", "pk", "uuid", "summary_uuid"),
)
NO_BUDGET = "the budget of the stage did not reach it"


def decisions(selection: Selection | None = None, pk: int | None = None) -> pd.DataFrame:
    """Return one row for each material at each stage of each screening, oldest first: verdict, value, cut, reason.

    The unit of ``value``, of its interval and of the cut is at the end of ``quantity``. A bound has no value, an
    interval that is open on one side has one edge. ``core_s`` is the cost of the result, also where another screening
    paid for it. A material that the budget of a stage did not reach has the verdict ``not_reached``.

    :param selection: its level of theory, temperature and grades are ignored.
    :param pk: only of this screening.
    """
    chosen, pks = selection or Selection(), None if pk is None else [pk]
    made, about = stored_decisions(pks), chains(pks)
    parts = [part.astype(object) for part in (made, _left_by_budgets(made, about)) if len(part)] or [made]
    table = pd.concat(parts, ignore_index=True)
    names = {row["pk"]: str(row["label"] or "") or f"screening {row['pk']}" for row in about.to_dict("records")}
    table["screening"] = [names.get(process) for process in table["process_pk"]]
    order = {row["pk"]: [stage.name for stage in stages_of(row)] for row in about.to_dict("records")}
    table["stage_number"] = [
        order[process].index(stage) + 1 if stage in order.get(process, ()) else None
        for process, stage in zip(table["process_pk"], table["stage"], strict=True)
    ]
    facts = crystal_facts([uuid for uuid in table["structure_uuid"] if isinstance(uuid, str)])
    table["formula"] = [facts[uuid].formula if uuid in facts else None for uuid in table["structure_uuid"]]
    table["structure_pk"] = [facts[uuid].pk if uuid in facts else None for uuid in table["structure_uuid"]]
    table = _typed(table)
    table = _selected(table, chosen, ["pk", "process_pk", "structure_pk"])
    table = table.sort_values(["process_pk", "stage_number", "pk", "label"], ignore_index=True)
    return table[list(DECISION_COLUMNS)]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    numbers = ("value", "value_low", "value_high", "cut_maximum", "cut_minimum", "core_s")
    table = table.assign(
        **{name: finite(pd.to_numeric(table[name], errors="coerce").astype(float)) for name in numbers}
    )
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table["goes_on"] = table["goes_on"].astype("boolean")
    return whole(table, ["pk", "process_pk", "structure_pk", "stage_number"])


def _left_by_budgets(made: pd.DataFrame, about: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each material that reached a stage and was not judged there, although the stage has ended."""
    rows: list[dict[str, Any]] = []
    for chain in about.to_dict("records"):
        mine = made[made["process_pk"] == chain["pk"]]
        alive = {str(entry.get("label")): entry for entry in chain["materials"]}
        ended = {str(entry.get("stage")) for entry in chain["summary"]} | set(mine["stage"])
        for stage in stages_of(chain):
            if stage.name not in ended:
                break
            judged = mine[mine["stage"] == stage.name]
            known = set(judged["label"])
            left = [entry for label, entry in alive.items() if label not in known]
            rows += [_left(entry, stage.name, stage.method, chain) for entry in left]
            going = set(judged.loc[judged["goes_on"], "label"])
            alive = {label: entry for label, entry in alive.items() if label in going}
    return pd.DataFrame(rows, columns=list(made.columns))


def _left(entry: Mapping[str, Any], stage: str, method: str | None, chain: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {"label": "label", "name": "name", "uuid": "structure_uuid", "structure_hash": "structure_hash"}
    about = {column: value if isinstance(value := entry.get(key), str) else None for key, column in texts.items()}
    of_chain = {"process_pk": chain["pk"], "process_uuid": chain["uuid"], "time": chain["time"]}
    said = {"stage": stage, "method": method, "verdict": NOT_REACHED, "goes_on": False, "reason": NO_BUDGET}
    return about | of_chain | said


def screenings(selection: Selection | None = None) -> pd.DataFrame:
    """Return one row for each screening, newest first: its state, stages and survivors.

    ``n_survivors`` went through all stages so far; ``n_errors`` are materials that some stage could not judge, and
    ``n_not_reached`` those that a budget left. ``core_s`` is known when it has ended.

    :param selection: only its group and times count.
    """
    chosen, about = selection or Selection(), chains()
    made = stored_decisions()
    left = _left_by_budgets(made, about)
    lines = [
        _line(row, made[made["process_pk"] == row["pk"]], left[left["process_pk"] == row["pk"]])
        for row in about.to_dict("records")
    ]
    table = pd.DataFrame(lines, columns=list(SCREENINGS_COLUMNS))
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table["core_s"] = pd.to_numeric(table["core_s"], errors="coerce").astype(float)
    counts = [name for name in SCREENINGS_COLUMNS if name.startswith("n_")]
    table = whole(table, ["pk", *counts])
    table = _in_time(table, chosen)
    if chosen.group is not None:
        table = Selection(group=chosen.group).rest(table, ["pk"], None)
    return table.sort_values(["time", "pk"], ascending=False, ignore_index=True)


def _line(row: Mapping[Any, Any], made: pd.DataFrame, left: pd.DataFrame) -> dict[str, Any]:
    stages = [stage.name for stage in stages_of(row)]
    done = [name for name in stages if name in set(made["stage"])]
    last = made[made["stage"] == done[-1]] if done else made
    hours = [hour for entry in row["summary"] if (hour := read_number(entry.get("core_hours"))) is not None]
    return {
        "screening": str(row["label"] or "") or f"screening {row['pk']}",
        "state": state_words(row),
        "n_materials": len(row["materials"]),
        "n_stages": len(stages),
        "stages": ", ".join(stages),
        "last_stage": done[-1] if done else None,
        "n_survivors": int(last["goes_on"].sum()) if done else len(row["materials"]),
        "n_errors": made.loc[made["verdict"] == "error", "label"].nunique(),
        "n_not_reached": len(left),
        "core_s": sum(hours) * S_PER_HOUR if hours else None,
        **{name: row[name] for name in ("exit_message", "time", "pk", "uuid", "summary_uuid")},
    }


def state_words(row: Mapping[Any, Any]) -> str:
    """Return the state of a screening in words."""
    if is_active(row):
        return "paused" if row["paused"] is not None and bool(row["paused"] == 1) else "running"
    if row["process_state"] != "finished":
        return str(row["process_state"])
    status = row["exit_status"]
    return "finished" if status == 0 else f"failed [{status:.0f}]" if pd.notna(status) else "failed"


def _selected(table: pd.DataFrame, chosen: Selection, members: list[str]) -> pd.DataFrame:
    if chosen.formula is not None:
        table = table[table["formula"] == chosen.formula]
    return chosen.rest(_in_time(table, chosen), members, temperature=None)


def _in_time(table: pd.DataFrame, chosen: Selection) -> pd.DataFrame:
    if chosen.since is not None:
        table = table[table["time"] >= chosen.since]
    return table if chosen.until is None else table[table["time"] <= chosen.until]
