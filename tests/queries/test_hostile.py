"""No table, printing, page or export is lost for one stored value, whatever it is."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.cli import table as printing
from aiida_ion.cli import tables as texts
from aiida_ion.cli.compare import nested, text_of
from aiida_ion.cli.describe import describe
from aiida_ion.cli.live import current, render
from aiida_ion.queries import Selection, activity
from aiida_ion.queries.benchmark import diffusion_of_conductivities, measured_and_computed
from aiida_ion.queries.details import arrhenius_points, beside, history
from aiida_ion.queries.job_runs import runs_of
from aiida_ion.queries.kinds import counting_unreadable
from aiida_ion.queries.provenance import path_of
from aiida_ion.queries.results import counted_fits
from benchmarks.made_up.surrogate import store_training
from benchmarks.many_results import GROUP, fill
from tests.queries.hostile import poison

TABLES = printing.TABLES
SELECTIONS = (
    Selection(),
    Selection(elements=("Li",), temperature_K=(300.0, 900.0), grades=("A", "bound"), group=GROUP),
    Selection(formula="Li3N", level_of_theory="PBE", since=datetime(2020, 1, 1, tzinfo=UTC)),
)


@pytest.fixture(params=range(6))
def poisoned(request: pytest.FixtureRequest, aiida_profile: Any) -> Iterator[int]:
    """Return a profile with results of every kind, of which a share of all values was replaced."""
    aiida_profile.reset_storage()
    fill(25, seed=request.param, n_with_arrays=0)
    store_training(n_materials=8, seed=1)
    yield poison(request.param, share=(0.05, 0.3, 0.9)[request.param % 3])
    aiida_profile.reset_storage()


def everything() -> dict[str, pd.DataFrame]:
    return {name: getattr(queries, name)() for name in TABLES}


def test_every_table_and_every_printing_survives(poisoned: int, tmp_path: Path) -> None:
    assert poisoned > 100
    with counting_unreadable() as counts:
        found = everything()
    assert counts.total() > 10
    assert len(found["runs"]) > 10
    for selection in SELECTIONS[1:]:
        for name in TABLES:
            getattr(queries, name)(selection)
    for style in ("text", "markdown", "csv", "json"):
        content = printing.render(found, style)
        assert content.encode()
        if style == "json":
            json.loads(content)
        if style in ("text", "markdown"):
            assert "\x1b" not in content
    for name, table in found.items():
        printing._write_parquet(table, tmp_path / f"{name}.parquet")
        assert len(pd.read_parquet(tmp_path / f"{name}.parquet")) == len(table)
        assert len(pd.read_csv(io.StringIO(texts.csv_text(table)), dtype=str)) == len(table)


def test_what_runs_and_what_was_is_still_shown(poisoned: int) -> None:
    assert "active" in render(current(everything=True))
    queries.engine_table(), queries.surrogates(), queries.experiments(), measured_and_computed()
    diffusion_of_conductivities(), counted_fits()
    activity.counts(), activity.failures(), activity.recent_conductivities()
    running = activity.running()
    activity.about([int(pk) for pk in running["pk"]])
    queries.last_decisions([int(pk) for pk in running["pk"]])
    assert text_of(queries.comparison_records(), "text").encode()
    json.dumps(nested(Selection(), None), default=str, allow_nan=False)


def test_every_node_is_described(poisoned: int) -> None:
    for (node,) in orm.QueryBuilder().append(orm.Node).iterall():
        assert "\x1b" not in describe(node)
    for uuid in queries.conductivity()["uuid"]:
        arrhenius_points([uuid])
        said = beside(uuid)
        history(said["history"])
        path_of(uuid)
        if said["process"]:
            runs_of(said["process"])


def test_what_was_computed_is_still_found(poisoned: int) -> None:
    from aiida_ion.queries import reuse

    for (chain,) in orm.QueryBuilder(limit=10).append(orm.WorkChainNode).iterall():
        inputs = {link.link_label: link.node for link in chain.base.links.get_incoming().all()}
        if "structure" in inputs:
            reuse.finished_conductivity(inputs), reuse.running_conductivity(inputs), reuse.failed_conductivity(inputs)
            reuse.finished_samples(inputs), reuse.running_samples(inputs)
    reuse.compared_conductivities()
