"""A disordered crystal by the commands a user types, with the daemon doing the work: one line for it everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.conftest import engine_environment
from tests.workchains.ensemble.conftest import COMMANDS

CIF = """data_mixed
_cell_length_a 5.8
_cell_length_b 5.8
_cell_length_c 5.8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ca1 Ca 0 0 0 0.5
Sr1 Sr 0 0 0 0.5
F1 F 0.25 0.25 0.25 1
"""
#: Hot and short, so that checks meant for solids are off.
LIMITS = """relax_ions: false
diffusion:
  limits: {temperature_off_fail: 1.0, temperature_drift_fail: 1.0, framework_displaced_fail: 1.0,
    framework_vibration_fail: 10.0, framework_growth_fail_A2: 100.0, framework_peak_ratio_fail: 0.0,
    framework_bonds_kept_fail: 0.0, energy_drift_fail_meV_atom_ps: 1000000}
"""
RUN = (
    *("--protocol", "fast", "--mobile-species", "F", "--temperatures", "2400,2700,3000"),
    *("--target-temperature-K", "1500", "--time-ps", "6", "--equilibration-ps", "0.5", "--timestep-fs", "2"),
    *("--sample-every", "10", "--orderings", "2", "--overrides", "limits.yaml", "--no-relax"),
    *("--ordering-settings", '{"max_atoms": 24, "min_width_A": 6.5, "sweeps": 20}', "--max-force-frames", "5"),
)
#: In a process of its own: the pages of an archive.
PAGES = """
import json, sys
from aiida_ion.archives.open import open_archive
open_archive(sys.argv[1])
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.pages import material, materials, overview
from aiida_ion.dashboards.state import View
from plotly.utils import PlotlyJSONEncoder
tables.use(tables.TableCache(changes=False))
pages = (material.layout(View(formula="SrCaF4", theme="light")), materials.layout(View(theme="light")))
for page in (*pages, overview.layout(View(theme="light"))):
    print(json.dumps(json.dumps(page, cls=PlotlyJSONEncoder, ensure_ascii=False)))
"""


def potential(name: str, strontium_eV: str) -> str:
    """Return a file of a potential: strontium repels fluorine more or less."""
    lines = "".join(f"  {line}\n" for line in COMMANDS.strip().replace("760.0", strontium_eV).splitlines())
    return f"commands: |\n{lines}charges: {{Ca: 2.0, Sr: 2.0, F: -1.0}}\nlevel_of_theory: classical/{name}\n"


@pytest.mark.slow
def test_a_disordered_crystal_is_one_line_from_the_run_to_the_archive(shell: Shell, tmp_path: Path) -> None:
    lammps = engine_environment("lammps").resolve()
    for name, content in (("mixed.cif", CIF), ("limits.yaml", LIMITS)):
        (tmp_path / name).write_text(content)
    shell("setup", "--workers", "2")
    for name, strontium_eV in (("soft", "760.0"), ("hard", "900.0")):
        (tmp_path / f"{name}.yaml").write_text(potential(name, strontium_eV))
        shell("engine", "add", name, "--executable", lammps / "bin" / "lmp", "--potential", f"{name}.yaml")
    output = shell("run", "mixed.cif", "--engine", "soft", *RUN, "--wait")
    assert "members have ended" in output
    assert output.count("classical/soft  ") >= 1 and "2 ordered cells of 1 ensemble are pooled here" in output
    (row,) = [row for row in rows_of(shell, "conductivity") if row["n_members"]]
    assert row["n_members"] == 2 and row["verdict"] in ("measured", "poorly_known")
    temperatures = [row for row in rows_of(shell, "diffusion") if row["n_members"]]
    assert sorted(row["target_temperature_K"] for row in temperatures) == [2400.0, 2700.0, 3000.0]
    assert "ion.ensemble" in shell("status") and "FAILED" not in shell("status")
    assert "members: 2 of 2 pooled" in shell("show", str(row["process_pk"]))

    # A second level of theory on the same cells; the first is in the database.
    output = shell("run", "mixed.cif", "--engine", "soft", "--engine", "hard", *RUN, "--wait")
    compared = json.loads(shell("compare", "--format", "json"))["comparison"]
    assert len(compared) == 1
    pooled = [row["level_of_theory"] for row in rows_of(shell, "conductivity") if row["n_members"]]
    assert set(pooled) == {"classical/soft", "classical/hard"}
    missing = " ".join(compared[0]["missing"])
    assert "Forces, structure and vibrations" not in missing and "Cell by cell" not in missing

    archive = tmp_path / "one.aiida"
    shell("export", str(row["uuid"]), "-o", archive, "--yes")
    (kept,) = [one for one in rows_of(shell, "conductivity", "--archive", archive) if one["n_members"]]
    assert kept["uuid"] == row["uuid"] and kept["verdict"] == row["verdict"]
    material, materials, overview = pages_of(archive)
    assert "members" in material and "2 of 2 pooled" in material
    assert "1 materials" in materials
    assert overview.count("classical/soft") >= 1


def rows_of(shell: Shell, table: str, *words: object) -> list[dict[str, Any]]:
    """Return the rows of a table."""
    rows: list[dict[str, Any]] = json.loads(shell("table", table, "--format", "json", *words))[table]
    return rows


def pages_of(archive: Path) -> list[str]:
    """Return the pages of an archive as text."""
    environment = {**os.environ, "AIIDA_PATH": str(archive.parent / "empty")}
    (archive.parent / "empty").mkdir()
    words = [sys.executable, "-c", PAGES, str(archive)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return [str(json.loads(line)) for line in done.stdout.splitlines()[-3:]]
