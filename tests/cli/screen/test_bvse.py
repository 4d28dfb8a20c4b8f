"""`aiida-ion screen bvse` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiida import orm
from ase.io import write

from aiida_ion.calculations.screening.bvse import BvseCalculation
from aiida_ion.cli.text.screenings.bvse import bvse_rows
from tests.cli.conftest import Invoke, only_line


@pytest.fixture
def fits(invoke: Invoke, aiida_localhost: orm.Computer) -> Invoke:
    from aiida_ion.engines.fits import register_diffusion_code

    register_diffusion_code()
    return invoke


def jobs() -> int:
    return orm.QueryBuilder().append(BvseCalculation).count()


def test_a_folder_of_crystals_with_one_that_is_none(
    fits: Invoke, crystal_file: Path, lithium_oxide: orm.StructureData, tmp_path: Path
) -> None:
    write(tmp_path / "Li2O.cif", lithium_oxide.get_ase())
    (tmp_path / "broken.cif").write_text("data_nothing\n")
    dry = fits("screen", "bvse", tmp_path, "--dry-run", "--resolution-A", 0.3)
    assert "0 results are known; 2 crystals in 1 jobs are left" in dry.output
    assert jobs() == 0
    output = fits("screen", "bvse", tmp_path, "--run", "--resolution-A", 0.3).output
    assert f"REFUSED {tmp_path / 'broken.cif'}" in output
    assert "Bond valence site energy of Li" in output
    (row,) = [line.split() for line in output.splitlines() if line.startswith(str(crystal_file))]
    assert row[1] == "Li3N"
    assert [float(word) for word in row[2:5]] == pytest.approx([0.1905, 0.1905, 0.2034], abs=1e-3)
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert (
        "Li3N"
        in fits("show", job.outputs.results["m_0"].pk).output + fits("show", job.outputs.results["m_1"].pk).output
    )
    # The same crystals in another company are known; only the other settings are computed.
    again = fits("screen", "bvse", crystal_file, "--run", "--resolution-A", 0.3).output
    assert row in [line.split() for line in again.splitlines()]
    assert jobs() == 1
    kept = fits("screen", "bvse", crystal_file, "--run", "--resolution-A", 0.35, "--keep-map").output
    assert jobs() == 2
    node = max(orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True), key=lambda one: one.pk)
    assert f"map of {crystal_file}: {node.outputs.maps.m_0.pk}" in kept
    # The result with the map serves where none is asked for.
    assert "map of" not in fits("screen", "bvse", crystal_file, "--run", "--resolution-A", 0.35).output
    assert jobs() == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resolution-A", "0"), "--resolution-A must be a number from 0.05 to 1 angstrom"),
        (("--mobile", "Xx"), "--mobile must be the symbol of an element"),
        (("--charges", "Li"), "--charges must be of the form Li=1,N=-3"),
        (("--settings", '{"radius": 1}'), "unknown bvse setting radius: did you mean radii?"),
        (("--fit-code", "nothing"), "there is no code 'nothing'"),
        (("--batch-size", "501"), "--batch-size must be a whole number from 1 to 500"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_submitted(
    fits: Invoke, crystal_file: Path, options: tuple[str, ...], message: str
) -> None:
    result = fits("screen", "bvse", crystal_file, "--run", *options, code=1)
    assert message in only_line(result)
    assert jobs() == 0


def test_crystals_with_different_mobile_ions(fits: Invoke, crystal_file: Path, tmp_path: Path) -> None:
    from ase.build import bulk

    write(tmp_path / "NaCl.cif", bulk("NaCl", "rocksalt", a=5.64))
    result = fits("screen", "bvse", crystal_file, tmp_path / "NaCl.cif", "--dry-run", code=1)
    assert "different mobile ions (Li, Na): name one with --mobile" in result.output


def test_rows() -> None:
    results = {
        "a": {
            "status": "finished",
            "formula": "Li2O",
            "barriers_eV": [0.2901, 0.5, None],
            "barriers_interval_eV": [[0.199, 0.2901], [0.5, 0.5], None],
            "message": "careful",
        },
        "b": {"status": "refused", "message": "disordered", "barriers_eV": None},
    }
    first, second = bvse_rows(results)
    assert list(first.values()) == ["a", "Li2O", "0.290 [0.199, 0.290]", "0.500", "-", "careful"]
    assert list(second.values()) == ["b", "-", "-", "-", "-", "refused: disordered"]
