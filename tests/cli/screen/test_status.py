"""`aiida-ion screen status`, and what `show`, `status` and `table` say of a screening."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from click.testing import CliRunner, Result

from aiida_ion.cli.screen.status import command
from aiida_ion.cli.services.sources import SourceTables
from aiida_ion.cli.table import render
from aiida_ion.cli.text.live import current
from aiida_ion.cli.text.live import render as render_processes
from aiida_ion.cli.text.nodes import describe
from aiida_ion.queries import decisions, funnel, percolation, screenings
from benchmarks.synthetic.screening import BUDGET, MATERIALS, store_screening

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
HOSTILE = "\x1b[31m<b>"


def status(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_a_screening_that_has_ended() -> None:
    chain = store_screening()
    text = status().output
    table = funnel(chain.pk).set_index("stage")
    assert f"lithium conductors ({chain.pk}): finished; {len(MATERIALS)} materials" in text
    for stage, row in table.iterrows():
        assert f"{row['n_materials']} -> {row['n_goes_on']}" in text, stage
    assert "barrier_1d_eV at most 0.4" in text
    assert f"{table.loc['pes', 'n_not_reached']} not reached" in text
    assert "barrier_1d_eV ... is above the cut, at most 0.4" in text
    assert "bvse: 2 error: its charges cannot be assigned" in text
    assert "What is left after pes, the best first:" in text
    assert "gate: 8 of 8 conductors kept: 100% [68%, 100%]; 11 of 11 other materials kept" in text
    assert "measured at least 0.1 mS/cm" in text
    assert "ROC-AUC" not in text
    assert "24 min of cores" in text or "29 min of cores" in text


def test_one_stage_and_all_formats() -> None:
    chain = store_screening()
    text = status(chain.pk, "--stage", "bvse", "--top", 3).output
    assert "pes" not in text
    assert f"and {int(funnel(chain.pk)['n_goes_on'].iloc[1]) - 3} more" in text
    rows = pd.read_csv(StringIO(status(chain.pk, "--format", "csv").output))
    assert list(rows.columns) == list(decisions().columns)
    assert len(rows) == len(decisions())
    (content,) = json.loads(status(chain.pk, "--format", "json").output)
    assert [row["stage"] for row in content["funnel"]] == ["gate", "bvse", "pes"]
    assert content["survivors"][0]["rank"] == 1
    assert content["recall"][0]["recall"] == 1.0
    ranks = content["survivors"]
    assert all(row["rank_best"] <= row["rank"] <= row["rank_worst"] for row in ranks)
    values = [row["value"] for row in ranks]
    assert values == sorted(values)
    assert len(ranks) <= BUDGET


def test_the_scores_of_rankings() -> None:
    chain = store_screening(n_materials=12)
    text = status(chain.pk, "--scores", "--stage", "bvse").output
    assert "Ranking of measured materials:" in text
    assert "(forest of compositions)" in text
    assert "(volume per atom)" in text


def test_a_screening_that_is_running() -> None:
    store_screening(n_materials=3, measured=False)
    chain = store_screening(seed=2, running=True, measured=False)
    text = status("--watch", "--top", 2, "--stage", "gate", chain.called[0].pk, code=1).output
    assert "there is no screening with the pk" in text
    text = status().output
    assert text.count("lithium conductors (") == 1
    assert "running: 12 of 24 materials in ended jobs, 12 in 1 that run" in text
    assert "Running now:" in text
    assert "ion.bvse  bvse: 12 materials, waiting" in text
    assert "Known conductors" not in text
    assert "stage bvse (2 of 3): 12 of 24 materials in ended jobs, 12 in running ones" in render_processes(current())


def test_what_is_wrong_is_said_in_a_line() -> None:
    assert "there is no screening; start one with" in status(code=1).output
    chain = store_screening(n_materials=3)
    assert "has no stage 'md'; its stages: gate, bvse, pes" in status(chain.pk, "--stage", "md", code=1).output
    assert "--watch is for --format text" in status("--watch", "--format", "json", code=2).output
    assert "--top" in status("--top", -1, code=1).output


@pytest.mark.slow
def test_show_and_tables() -> None:
    chain = store_screening(text=HOSTILE)
    shown = describe(chain)
    for words in ("Funnel:", "What fell, and why:", "What is left, the best first:", "Known conductors:"):
        assert words in shown
    assert "\x1b" not in shown
    node: Any = chain.outputs.decisions.bvse_000
    assert "barrier_1d_eV at most 1" in describe(node)
    job = next(one for one in chain.called if isinstance(one, orm.CalcJobNode))
    result = job.outputs.results["m_00000"]
    words = describe(result)
    assert "percolation barrier in one dimension: " in words
    assert "no pathway in three dimensions" in words
    assert "cost: 72 s of CPU time" in words
    tables = {"screenings": screenings(), "decisions": decisions(), "percolation": percolation()}
    for style in ("text", "markdown", "csv", "json"):
        content = render([SourceTables(None, tables)], style)
        assert "Decisions of screenings" in content or style in ("csv", "json")
        assert "\x1b" not in content or style in ("csv", "json")
    assert "\x1b" not in status().output
