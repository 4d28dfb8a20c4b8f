"""How far running conductivities are: temperatures done of those planned, and when the runs are expected to end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiida import orm

from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import frame
from aiida_ion.queries.running.processes import ENDED

#: Link of a run of one temperature and seed, in a round of extensions: ``md_T_0800K_seed_1_round_2``.
RUN = re.compile(r"md_(T_\d+(?:_\d+)?K)_seed_(\d+)(?:_round_(\d+))?")


@dataclass(frozen=True)
class RunTimes:
    """A run of one temperature and seed.

    :param temperature: its label, such as ``T_0800K``.
    :param end: None while it runs.
    """

    pk: int
    temperature: str
    begin: datetime
    end: datetime | None


@dataclass(frozen=True)
class TemperatureProgress:
    """How far a running conductivity is in its newest round of runs.

    :param round_number: 1, and more where runs are extended.
    :param n_temperatures: with runs in this round; `n_runs` are those of all of them, one for each seed.
    :param runs: those that have begun.
    """

    round_number: int
    n_temperatures: int
    n_runs: int
    runs: tuple[RunTimes, ...] = ()

    @property
    def n_ended(self) -> int:
        """Number of runs that have ended."""
        return sum(run.end is not None for run in self.runs)

    @property
    def n_done(self) -> int:
        """Number of temperatures whose runs have all ended."""
        per_temperature = self.n_runs / self.n_temperatures if self.n_temperatures else 0.0
        ended = [run.temperature for run in self.runs if run.end is not None]
        return sum(ended.count(name) >= per_temperature for name in set(ended))

    def seconds_left(self, now: datetime, left_s: Mapping[int, float]) -> float | None:
        """Return the time until the last run of this round ends, s; None where nothing is known of its pace.

        Nothing is, before a run has ended, and where one that does not say how long it needs takes longer than others.

        Runs that wait take as long as those that have ended, or will take with those that say when, on average, and as
        many run at a time as do now.

        :param left_s: remaining time of runs that state it, by pk, s.
        """
        if self.n_ended >= self.n_runs:
            return 0.0
        lasted = [(run.end - run.begin).total_seconds() for run in self.runs if run.end is not None]
        elapsed = {run.pk: (now - run.begin).total_seconds() for run in self.runs if run.end is None}
        lasted += [elapsed[pk] + left_s[pk] for pk in elapsed if pk in left_s]
        if not lasted:
            return None
        usual = sum(lasted) / len(lasted)
        rest = [left_s.get(pk, usual - gone) for pk, gone in elapsed.items()]
        if any(seconds < 0 for seconds in rest):
            return None
        n_waiting = max(self.n_runs - len(self.runs), 0)
        shared = (sum(rest) + n_waiting * usual) / max(len(rest), 1)
        return max([shared, *rest])


def temperature_progress(pks: Sequence[int]) -> dict[int, TemperatureProgress]:
    """Return how far running conductivities are, by pk.

    :param pks: of the work chains ``ion.conductivity``; one whose inputs cannot be read is left out.
    """
    if not pks:  # an empty list is not a valid filter
        return {}
    planned, runs = _planned(pks), _runs(pks)
    extended = _extended([pk for pk, of_chain in runs.items() if max(of_chain) > 1])
    made = {}
    for pk, (n_temperatures, n_seeds) in planned.items():
        of_chain = runs.get(pk, {1: []})
        number = max(of_chain)
        first = (n_temperatures, n_temperatures * n_seeds)
        counts = extended.get((pk, number - 1), first) if number > 1 else first
        made[pk] = TemperatureProgress(number, *counts, tuple(of_chain[number]))
    return made


def _planned(pks: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the number of temperatures and of seeds of each work chain."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    asked = ["attributes.temperatures_K", "attributes.seeds"]
    query.append(orm.Dict, with_outgoing="chain", edge_filters={"label": "parameters"}, project=asked)
    table = frame(query, ["pk", "temperatures_K", "seeds"], {"temperatures_K": "list", "seeds": "list"})
    return {
        int(row["pk"]): (len(row["temperatures_K"]), len(row["seeds"]))
        for row in table.to_dict("records")
        if isinstance(row["temperatures_K"], list) and isinstance(row["seeds"], list)
    }


def _runs(pks: Sequence[int]) -> dict[int, dict[int, list[RunTimes]]]:
    """Return the runs of each work chain by the number of their round."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    projected = ["id", "ctime", "mtime", "attributes.process_state"]
    query.append(orm.WorkChainNode, with_incoming="chain", edge_project=["label"], project=projected)
    runs: dict[int, dict[int, list[RunTimes]]] = {}
    for row in frame(query, ["chain_pk", "pk", "ctime", "mtime", "process_state", "link"]).to_dict("records"):
        matched = RUN.fullmatch(str(row["link"]))
        if matched is None:
            continue
        end = row["mtime"] if row["process_state"] in ENDED else None
        run = RunTimes(int(row["pk"]), matched[1], row["ctime"], end)
        runs.setdefault(int(row["chain_pk"]), {}).setdefault(int(matched[3] or 1), []).append(run)
    return runs


def _extended(pks: Sequence[int]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return how many temperatures and runs each decision continues, by work chain and round that it ended."""
    if not pks:
        return {}
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"id": {"in": list(pks)}}, project=["id"], tag="chain")
    decision = {"attributes.function_name": "decide_extensions"}
    query.append(orm.CalcFunctionNode, with_incoming="chain", filters=decision, tag="decision")
    query.append(orm.Dict, with_incoming="decision", project=["attributes.round", "attributes.temperatures"])
    table = frame(query, ["pk", "round", "temperatures"], {"round": "number", "temperatures": "list"}).dropna()
    return {(int(row["pk"]), int(row["round"])): _continued(row["temperatures"]) for row in table.to_dict("records")}


def _continued(entries: Sequence[Any]) -> tuple[int, int]:
    """Return the number of temperatures that a decision continues, and of their runs."""
    kept = [entry for entry in entries if isinstance(entry, dict) and entry.get("next_time_ps") is not None]
    numbers = [read_number(entry.get("n_runs")) or 1.0 for entry in kept]
    return len(kept), sum(int(number) for number in numbers)
