"""`aiida-ion table` on many results: which tables, which rows, and in which form."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.cli.table import TABLES
from benchmarks.many_results import GROUP, fill
from tests.cli.conftest import Invoke, Shell, only_line
from tests.queries.hostile import poison_all


@pytest.fixture
def filled(invoke: Invoke) -> Invoke:
    fill(25, n_with_arrays=0)
    return invoke


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(text))


@pytest.mark.slow
def test_every_table_has_every_form(filled: Invoke, tmp_path: Path) -> None:
    text = filled("table", *TABLES).output
    for words in ("Materials", "Runs", "Diffusion at each", "Ionic conductivity", "Levels of theory", "Cost", "Potent"):
        assert words in text
    for name in TABLES:
        expected = getattr(queries, name)()
        frame = read(filled("table", name, "--format", "csv").output)
        assert list(frame.columns) == list(expected.columns)
        rows = json.loads(filled("table", name, "--format", "json").output)[name]
        path = tmp_path / f"{name}.parquet"
        filled("table", name, "--format", "parquet", "--output", path)
        assert len(frame) == len(rows) == len(pd.read_parquet(path)) == len(expected)
        assert list(pd.read_parquet(path).columns) == list(expected.columns)
    fits = pd.read_parquet(tmp_path / "diffusion.parquet")
    pd.testing.assert_series_equal(fits["n_eff"], queries.diffusion()["n_eff"])
    assert "| Li3N" in filled("table", "materials", "--format", "markdown").output
    both = read(filled("table", "--format", "csv").output)
    assert set(both["table"]) == {"conductivity", "diffusion"}


def test_options_choose_rows(filled: Invoke) -> None:
    def fits(*options: object) -> pd.DataFrame:
        return read(filled("table", "diffusion", "--format", "csv", *options).output)

    everything = fits()
    hot = fits("--min-temperature-K", 900)
    assert hot["target_temperature_K"].min() == 1000
    assert fits("--max-temperature-K", 700)["target_temperature_K"].max() == 600
    assert len(fits("--min-temperature-K", 700, "--max-temperature-K", 900)) == len(everything) // 4
    assert set(fits("--element", "Li", "--element", "N")["formula"]) == {"Li3N"}
    level = str(everything["level_of_theory"].iloc[0])
    assert set(fits("--material", "Li3N", "--level-of-theory", level)["level_of_theory"]) == {level}
    assert set(fits("--grade", "A", "--grade", "C")["grade"]) == {"A", "C"}
    assert 0 < len(fits("--group", GROUP)) < len(everything)
    assert len(fits("--since", "2026-01-01")) <= len(everything)
    assert "No results here" in filled("table", "--since", "2030-01-01").output


def test_what_cannot_be_printed_is_one_line(filled: Invoke, tmp_path: Path) -> None:
    assert "there is no group 'nobody'" in only_line(filled("table", "--group", "nobody", code=1))
    words = "one table: name one, and give --output"
    assert words in only_line(filled("table", "diffusion", "--format", "parquet", code=1))
    assert words in only_line(filled("table", "--format", "parquet", "--output", tmp_path / "x.parquet", code=1))
    assert "'fits' is not one of" in filled("table", "fits", code=2).stderr
    assert orm.QueryBuilder().append(orm.Group, filters={"label": "nobody"}).count() == 0


def test_a_table_comes_from_an_archive_where_there_is_no_profile(
    shell: Shell, campaign_archive: Path, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    shell("table", "conductivity", "--format", "csv", "--archive", campaign_archive, "--output", path)
    frame = pd.read_csv(path)
    assert set(frame["formula"]) == {"Ar", "CaF2", "Li2O"}
    assert str(Path(__file__).name) in shell("table", "--archive", __file__, code=1)


def test_what_cannot_be_read_is_left_empty_and_said(filled: Invoke) -> None:
    whole = read(filled("table", "runs", "--format", "csv").stdout)
    poison_all("seed", "1e23")
    output = filled("table", "runs", "--format", "csv")
    assert output.stderr == f"Note: stored values that cannot be read are left empty: seed ({len(whole)})\n"
    assert len(read(output.stdout)) == len(whole)
    assert filled("table", "cost").stderr == output.stderr
    assert filled("table", "diffusion").stderr == ""
