"""Crystals of files: what is read, what is said of it, and what it costs."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import spglib
from pymatgen.core import Structure

from aiida_ion.crystal_files.cif_text import read_blocks
from aiida_ion.crystal_files.read import DoubtfulCrystalError, read_cif_text, read_crystal
from aiida_ion.crystal_files.report import lines_of
from aiida_ion.crystal_files.symmetry import Symmetry, _keys, named
from aiida_ion.datasets.obelix import read_obelix
from aiida_ion.datasets.obelix_crystals import select
from benchmarks.crystals_on_file.makers import LITHIA, cif, poscar, salt, typed
from tests.datasets.obelix_files import real_dataset

CASES = Path(__file__).parents[3] / "shared" / "cases" / "import.tar.xz"


def write(folder: Path, text: str, name: str = "x.cif") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_report_says_what_was_read(tmp_path: Path) -> None:
    report = read_crystal(write(tmp_path, typed("7Li"))).report
    attributes = json.loads(json.dumps(report.attributes()))
    assert (report.file, report.file_format, report.part, report.formula) == ("x.cif", "CIF", "block x", "Li8O4")
    assert report.n_atoms == 12
    assert report.volume_A3 == pytest.approx(4.62**3)
    assert report.density_g_cm3 == pytest.approx(2.013, abs=0.001)
    assert len(report.sha256) == 64
    assert lines_of(attributes) == [
        "read x.cif (CIF, block x): Li8O4, 12 atoms, 98.61 A^3, 2.01 g/cm^3; 192 symmetry operations of the space "
        "group F m -3 m",
        "  7Li was read as Li with the usual mass",
    ]
    assert lines_of({}) == ["read ? (): ?"]  # a node of an earlier version


def test_the_user_may_insist(tmp_path: Path) -> None:
    path = write(tmp_path, cif(columns={"attached_hydrogens": ["0", "1"]}))
    with pytest.raises(DoubtfulCrystalError, match="carries 1 hydrogen atoms without coordinates"):
        read_crystal(path)
    report = read_crystal(path, insist=True).report
    assert report.formula == "Li8O4"
    assert "INSISTED the site O1 carries 1 hydrogen" in "\n".join(lines_of(report.attributes()))


def test_nobody_can_insist_on_what_cannot_be_simulated(tmp_path: Path) -> None:
    for text, words in (
        (cif([*LITHIA, ("Li2", "Li", "0.25 0.25 0.25")]), "closer than 0.5"),
        (cif(columns={"occupancy": ["0.5", "1"]}), "disordered"),
        (typed("Vac"), "not an element"),
    ):
        with pytest.raises(ValueError, match=words):
            read_crystal(write(tmp_path, text), insist=True)


def test_an_absent_ion_or_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x.cif: no Na in Li2O"):
        read_crystal(write(tmp_path, cif()), "Na")
    with pytest.raises(ValueError, match=r"absent.cif: no such file"):
        read_crystal(tmp_path / "absent.cif")


def test_order_and_places_of_a_cif_are_those_of_pymatgen(tmp_path: Path) -> None:
    # Results of earlier versions stay findable, and trajectories of others keep the order of their atoms.
    path = write(tmp_path, salt("_symmetry_space_group_name_H-M 'F m -3 m'\n"))
    with pytest.warns(UserWarning, match="Spacegroup from"):
        theirs = Structure.from_file(path)
    ours = read_crystal(path).structure
    assert [site.specie.symbol for site in ours] == [site.specie.symbol for site in theirs]
    assert ours.matches(theirs)


def test_the_order_of_a_poscar_is_kept(tmp_path: Path) -> None:
    places = "0 0 0\n0.25 0.25 0.25\n0 0.5 0.5\n" + "\n".join(["0.75 0.75 0.75"])
    text = poscar(species="O Li O Li\n1 1 1 1", places=places)
    structure = read_crystal(write(tmp_path, text, "POSCAR"), insist=True).structure
    assert [site.specie.symbol for site in structure] == ["O", "Li", "O", "Li"]


def test_velocities_and_scales_of_a_poscar_leave_the_cell(tmp_path: Path) -> None:
    for text in (poscar(scale="-98.611128", cell="1 0 0\n0 1 0\n0 0 1"), poscar()):
        structure = read_crystal(write(tmp_path, text, "POSCAR")).structure
        assert structure.volume == pytest.approx(4.62**3)
        assert structure.get_distance(0, 8) == pytest.approx(4.62 * 3**0.5 / 4)


def test_left_handed_vectors_leave_the_atoms_where_they_are(tmp_path: Path) -> None:
    text = poscar(
        cell="0 4.62 0\n4.62 0 0\n0 0 4.7",
        places="0.3 0.25 0.25\n" + "\n".join(poscar().split("\n")[9:19]) + "\n0.5 0.5 0",
    )
    structure = read_crystal(write(tmp_path, text, "POSCAR"), insist=True).structure
    assert np.linalg.det(structure.lattice.matrix) == pytest.approx(4.62**2 * 4.7)
    assert structure[0].coords == pytest.approx([0.25 * 4.62, 0.3 * 4.62, 0.25 * 4.7])


def test_hall_symbols_mean_what_spglib_says() -> None:
    # 438 and 471, P 3 2 and P 6 2, are P 32 and P 62 without their spaces.
    for hall_number in (*range(1, 531, 5), 433, 438, 471):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            symbol = spglib.get_spacegroup_type(hall_number).hall_symbol
            expected = spglib.get_symmetry_from_database(hall_number)
        (block,) = read_blocks(f"data_x\n_space_group_name_Hall\n;{symbol}\n;\n")
        (symmetry,) = named(block)
        theirs = Symmetry(expected["rotations"].astype(np.int64), expected["translations"] % 1.0, "spglib")
        assert _keys(symmetry) == _keys(theirs), symbol


def test_a_symbol_of_two_groups_is_weighed() -> None:
    (block,) = read_blocks("data_x\n_symmetry_space_group_name_H-M P-3m\n")
    assert {symmetry.number for symmetry in named(block)} == {162, 164}


BIG = """
import sys
from pathlib import Path
from aiida_ion.crystal_files.read import read_crystal
try:
    read_crystal(Path(sys.argv[1]))
except ValueError as error:
    print(error)
"""


def test_a_cell_in_picometre_is_refused_in_little_memory(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, 4 * 1024**3))  # 11 GB were needed once

    path = write(tmp_path, cif(edges="462 462 462"))
    done = subprocess.run(
        [sys.executable, "-c", BIG, str(path)], check=True, preexec_fn=limit, capture_output=True, text=True
    )
    assert done.stdout.startswith("x.cif: the cell is far too empty: 2.01e-06 g/cm^3")
    assert "are its lengths in picometre" in done.stdout


def test_the_published_crystals_are_read_as_pymatgen_reads_them() -> None:
    for entry in select(read_obelix(real_dataset()), ["ordered"])[::3]:
        assert entry.cif is not None
        ours = read_cif_text(entry.cif, f"{entry.entry_id}.cif", insist=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = Structure.from_str(entry.cif, fmt="cif")
        assert ours.report.insisted == ()
        assert ours.structure.composition == theirs.composition, entry.entry_id
        first, second = (np.sort(one.distance_matrix.ravel()) for one in (ours.structure, theirs))
        assert first == pytest.approx(second, abs=1e-3), entry.entry_id


RIGHT = {
    "cif_LiCl_hall": "Li4Cl4",
    "cif_LiCl_oddHM": "Li4Cl4",
    "cif_bom": "Li8O4",
    "cif_neutron_u": "Li8O4",
    "cif_type__63": "Li8O4",
    "cif_attached_H": None,
    "cif_dup": None,
    "cif_cell_big": None,
    "poscar_v4_3": None,
}


def test_crystals_from_the_field(tmp_path: Path) -> None:
    if not CASES.is_file():
        pytest.skip(f"no inputs from the field in {CASES}")
    with tarfile.open(CASES) as archive:
        archive.extractall(tmp_path, filter="data")
    for name, formula in RIGHT.items():
        (path,) = [*tmp_path.rglob(f"{name}/x.cif"), *tmp_path.rglob(f"{name}/POSCAR")]
        if formula is not None:
            assert read_crystal(path).report.formula == formula
            continue
        with pytest.raises(ValueError, match=path.name) as caught:
            read_crystal(path)
        assert "\n" not in str(caught.value)
