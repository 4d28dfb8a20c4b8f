"""A trajectory with two mobile cations, from the file to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aiida import orm
from ase import Atoms
from ase.io import write

from aiida_ion.queries import diffusion
from benchmarks import walkers
from tests.cli.conftest import Invoke, only_line

FACTS = ["--timestep-fs", "2", "--sample-every", "50", "--temperature-K", "800", "--level-of-theory", "PBE"]
SITE_A, N_CUBES, N_FRAMES = 4.0, 4, 600


@pytest.fixture
def two_cations(tmp_path: Path) -> Path:
    """16 Li and 16 Na that hop, and 32 Cl that stay, some of them on a face, wrapped into the cell."""
    generator = np.random.default_rng(11)
    axis = np.arange(N_CUBES) * SITE_A
    sites = generator.permutation(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
    walks = [walkers.hopping(generator, N_FRAMES, 16, diffusivity_A2_ps=d) for d in (0.2, 0.15)]
    steps = np.concatenate([*walks, np.zeros((N_FRAMES, 32, 3))], axis=1)
    positions = sites + np.cumsum(steps, axis=0) + generator.normal(0.0, 0.1, steps.shape)
    cell = np.eye(3) * SITE_A * N_CUBES
    path = tmp_path / "two.extxyz"
    symbols = ["Li"] * 16 + ["Na"] * 16 + ["Cl"] * 32
    images = [Atoms(symbols, positions=frame, cell=cell, pbc=True) for frame in positions]
    for atoms in images:
        atoms.wrap()
    write(path, images, format="extxyz")
    return path


def framework_verdicts(pk: int) -> set[str]:
    """Return what the checks of the framework's motion say; these ions walk through each other, which another fails."""
    checks = orm.load_node(pk).base.attributes.get("checks")
    names = ("framework_growth", "framework_vibration", "framework_displaced")
    return {check["verdict"] for check in checks if check["name"] in names}


def test_a_two_cation_conductor_is_imported_fitted_and_tabulated(
    invoke: Invoke, lj_engine: str, two_cations: Path
) -> None:
    output = invoke("import", two_cations, *FACTS, "--run").output
    assert "framework: Cl (Ions of Na" in output
    assert "Na, also mobile: tracer diffusivity, cm2/s:" in output
    assert "Cl, framework: tracer diffusivity, cm2/s: <" in output
    assert "ionic conductivity of Li and Na (Nernst-Einstein), mS/cm:" in output
    assert "ionic_conductivity are those of Li alone" in output
    (row,) = diffusion().to_dict("records")
    assert row["verdict"] == "moved" and framework_verdicts(row["pk"]) == {"pass"}
    assert row["framework_species"] == "Cl" and row["moved_species"] == "Li Na"
    assert row["all_species_ionic_conductivity_mS_cm"] > row["ionic_conductivity_mS_cm"]
    low, high = (row[f"all_species_ionic_conductivity_ci95_{end}_mS_cm"] for end in ("low", "high"))
    assert low < row["all_species_ionic_conductivity_mS_cm"] < high
    assert "diffusive; Na too" in invoke("table").output


@pytest.mark.slow
def test_the_framework_can_be_named(invoke: Invoke, lj_engine: str, two_cations: Path) -> None:
    invoke("import", two_cations, *FACTS, "--framework-species", "Na,Cl", "--run")
    (row,) = diffusion().to_dict("records")
    assert row["framework_species"] == "Na Cl" and "fail" in framework_verdicts(row["pk"])
    for named, words in (
        ("Li", "the mobile species"),
        ("O", "names O; the crystal contains Cl, Li, Na"),
        ("X", "symbol"),
    ):
        line = only_line(invoke("import", two_cations, *FACTS, "--framework-species", named, "--run", code=1))
        assert words in line
