"""The table of what becomes of the crystals of OBELiX."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aiida_ion.cli.main import cli
from tests.datasets.obelix_files import write_dataset

COLUMNS = {"id", "outcome", "n_atoms", "n_orderings", "mobile_deviation", "table_difference", "reason", "message"}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "obelix")


def invoke(dataset: Path, *words: object) -> Result:
    command = ["benchmark", "obelix", "--source", str(dataset), *map(str, words)]
    return CliRunner().invoke(cli, command)


def test_every_crystal_has_a_line_without_a_profile(dataset: Path) -> None:
    shown = invoke(dataset, "--select", "all", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "Nothing was submitted" in shown.output.splitlines()[-1]
    made = invoke(dataset, "--select", "all", "--dry-run", "--format", "json")
    rows = {row["id"]: row for row in json.loads(made.output)}
    assert rows["aaa"]["outcome"] == "ordered" and rows["aaa"]["n_orderings"] == 1
    assert rows["ddd"]["outcome"] == "refused" and rows["ddd"]["message"] in made.output
    assert rows["eee"]["outcome"] == "refused" and "Li2O" in rows["eee"]["message"]
    assert rows["eee"]["table_difference"] > 0.05
    lines = list(csv.DictReader(io.StringIO(invoke(dataset, "--select", "all", "--dry-run", "--format", "csv").output)))
    assert [line["id"] for line in lines] == list(rows)
    assert set(lines[0]) >= COLUMNS


def test_without_an_engine_nothing_can_be_submitted(dataset: Path) -> None:
    refused = invoke(dataset, "--select", "all")
    assert refused.exit_code == 2 and "give at least one --engine" in refused.output
