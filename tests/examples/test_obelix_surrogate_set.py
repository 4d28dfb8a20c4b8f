"""The set of real crystals: what its dry run says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aiida import orm

from tests.cli.conftest import invoke, lj_engine  # noqa: F401
from tests.datasets.obelix_files import write_dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
Main = Callable[[list[str]], None]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Return what the script runs."""
    monkeypatch.syspath_prepend(EXAMPLES)
    import obelix_surrogate_set  # type: ignore[import-not-found]

    result: Main = obelix_surrogate_set.main
    return result


@pytest.mark.usefixtures("lj_engine")
def test_the_dry_run_lists_cells_atoms_and_cost(main: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_dataset(tmp_path / "obelix")
    main(["--engine", "toy", "--source", str(source), "--device", "cpu", "--dry-run"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    cell = "4.0 x 4.0 x 4.0 3 x 3 x 3 216 1000 2 of 100 ps 100,000 unknown - new"
    assert f"aaa LiF 1e-12 Lennard-Jones {cell}" in lines
    assert any(line.startswith("In all: ") for line in lines)
    assert "Nothing was submitted" in lines[-1]
    assert orm.QueryBuilder().append(orm.StructureData).count() == 0


@pytest.mark.usefixtures("lj_engine")
def test_what_cannot_be_run_is_said_in_a_line(main: Main, tmp_path: Path) -> None:
    source = write_dataset(tmp_path / "obelix")
    with pytest.raises(SystemExit, match=r"aiida-ion benchmark obelix .*toy2"):
        main(["--engine", "toy2", "--source", str(source), "--dry-run"])
