import pytest
from pymatgen.core import Lattice, Molecule, Structure

from aiida_ion.analysis.structure import check_structure, read_structure

ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_read_structure(tmp_path):
    path = tmp_path / "licl.cif"
    ROCK_SALT.to(filename=str(path))
    assert read_structure(path, "Li").composition.reduced_formula == "LiCl"
    assert read_structure(ROCK_SALT) is ROCK_SALT


def test_unreadable_files(tmp_path):
    broken = tmp_path / "broken.cif"
    broken.write_text("data_nothing\n_cell_length_a what\n")
    with pytest.raises(ValueError, match=r"broken.cif: cannot be read as a crystal"):
        read_structure(broken)
    with pytest.raises(ValueError, match="no such file"):
        read_structure(tmp_path / "absent.cif")
    molecule = tmp_path / "water.xyz"
    molecule.write_text("1\n\nO 0 0 0\n")
    with pytest.raises(ValueError, match="no periodic cell"):
        read_structure(molecule)


def test_errors_are_one_line(tmp_path):
    broken = tmp_path / "broken.cif"
    broken.write_bytes(bytes(range(256)) * 3)
    with pytest.raises(ValueError, match=r"broken\.cif") as caught:
        read_structure(broken)
    assert "\n" not in str(caught.value)


def test_disordered_site_is_named():
    disordered = ROCK_SALT.copy()
    disordered[1] = {"Li": 0.5, "Na": 0.25}
    with pytest.raises(ValueError, match=r"disordered: the site \S+ at \(0.500, 0.500, 0.000\) holds Na:0.25, Li:0.5"):
        check_structure(disordered)


def test_close_atoms_are_named():
    close = ROCK_SALT.copy()
    close.append("Na", [0.99, 0.01, 0.0])
    with pytest.raises(ValueError, match=r"atoms 0 \(Li\) and 8 \(Na\) are 0.073 angstrom apart"):
        check_structure(close)


def test_absent_mobile_species():
    with pytest.raises(ValueError, match="no Na in LiCl"):
        check_structure(ROCK_SALT, "Na")


def test_molecule_has_no_cell():
    with pytest.raises(ValueError, match="no periodic cell"):
        check_structure(Molecule(["O"], [[0, 0, 0]]))
