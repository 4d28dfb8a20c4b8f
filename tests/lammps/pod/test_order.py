"""The order of the elements of a POD potential."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aiida_ion.lammps.fitted import Reference, reduced_formula, validate_composition, validate_volume
from aiida_ion.lammps.inputs import MdSettings, write_md_input
from aiida_ion.lammps.pod.order import pod_command, read_species
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import write_data

POD: dict[str, Any] = {
    "commands": "pair_style pod\npair_coeff * * param.pod coeff.pod {elements}",
    "level_of_theory": "teacher by POD",
    "files": ["param.pod", "coeff.pod"],
    "species": ["N", "Li"],
}


def test_types_are_numbered_as_the_files_say() -> None:
    potential = load_potential(POD)
    assert potential.type_order(["Li", "Li", "Li", "N"]) == ("N", "Li")
    data = write_data([[0, 0, 0], [2, 0, 0]], [[9, 0, 0], [0, 9, 0], [0, 0, 9]], ["Li", "N"], potential)
    atoms = data.partition("Atoms # charge")[2].split()
    assert (atoms[1], atoms[7]) == ("2", "1")
    masses = data.partition("Masses")[2].partition("Atoms")[0].split("\n")
    assert "14" in masses[2] and "6.9" in masses[3]
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=10)
    script = write_md_input(["Li", "N"], settings, potential, {"Li": 1.0, "N": -3.0})
    assert "pair_coeff * * param.pod coeff.pod N Li\n" in script and "labelmap atom 1 N 2 Li" in script
    # The charge current is that of the elements, not of the order of appearance.
    assert "(-3)*c_flow_1[1]+(1)*c_flow_2[1]" in script
    with pytest.raises(ValueError, match="types are numbered Li N, and the potential 'custom' needs N Li"):
        potential.commands(["Li", "N"])


@pytest.mark.parametrize("symbols", [["Li"], ["Li", "N", "O"], ["N"]])
def test_a_cell_with_other_elements_is_refused(symbols: list[str]) -> None:
    potential = load_potential(POD)
    with pytest.raises(ValueError, match="cells with N, Li, each of them"):
        potential.type_order(symbols)
    cell = [[9, 0, 0], [0, 9, 0], [0, 0, 9]]
    with pytest.raises(ValueError, match="each of them"):
        write_data([[2.0 * k, 0, 0] for k in range(len(symbols))], cell, symbols, potential)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"species": []}, "needs `species`"),
        ({"commands": "pair_style pod\npair_coeff * * param.pod coeff.pod Li N"}, "write {elements}"),
        ({"commands": "pair_style pod\npair_coeff * * param.pod coeff.pod"}, "are given as"),
        ({"commands": "pair_style pod\npair_coeff 1 2 param.pod coeff.pod {elements}"}, "are given as"),
        ({"commands": "pair_style pod"}, "exactly one pod"),
        ({"commands": "pair_style pod/kk\npair_coeff * * param.pod coeff.pod Li N"}, "write {elements}"),
        ({"commands": "pair_style hybrid/overlay pod zbl 1 2\npair_coeff * * pod param.pod coeff.pod Li N"}, "write"),
        ({"commands": "pair_style hybrid/overlay pod zbl 1 2\npair_coeff 1 1 zbl 3 3"}, "exactly one pod"),
        ({"files": ["coeff.pod"]}, "reads param.pod, which must be listed"),
        ({"species": ["Li", "Li"]}, "each once"),
    ],
)
def test_what_could_exchange_elements_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_potential(POD | change)


def test_what_is_right_is_accepted() -> None:
    for commands in (
        "pair_style pod\npair_coeff * * param.pod coeff.pod N Li",
        "pair_style hybrid/overlay pod zbl 1.0 1.7\npair_coeff * * pod param.pod coeff.pod {elements}\n"
        "pair_coeff 1 1 zbl 7 7",
    ):
        load_potential(POD | {"commands": commands})
    assert pod_command(["pair_style zero 5.0", "pair_coeff * *"]) is None


def test_the_line_of_the_species() -> None:
    assert read_species("# N Li\nspecies N Li # in this order\nrcut 5\n") == ("N", "Li")
    for text in ("rcut 5\n", "species\n", "species N Li\nspecies Li N\n"):
        with pytest.raises(ValueError, match="needs one line 'species'"):
            read_species(text)
    for text in ("species N Li N\n", "species N Lithium\n"):
        with pytest.raises(ValueError, match="must name each element once"):
            read_species(text)


def test_compositions_and_volumes() -> None:
    assert reduced_formula(["Li"] * 6 + ["N"] * 2) == "Li3N"
    assert reduced_formula(["N", "Li"]) == "LiN"
    assert validate_composition(["Li3N"], ["Li", "N", "Li", "Li"], "it") is None
    assert "the cell is Li2N" in str(validate_composition(["Li3N"], ["Li", "N", "Li"], "it"))
    assert validate_volume([10.0, 11.0], 9.96, "it") is None and validate_volume([], 3.0, "it") is None
    assert "volumes of 10 to 11 A^3 per atom and the cell has 9.9" in str(validate_volume([10.0, 11.0], 9.9, "it"))
    with pytest.raises(ValueError, match="the smallest and the largest"):
        load_potential(POD | {"volumes_A3_atom": [11.0, 10.0]})


def test_a_reference_frame_is_checked() -> None:
    reference = Reference.of(["N", "Li"], [[0, 0, 0], [2, 0, 0]], [[9, 0, 0], [0, 9, 0], [0, 0, 9]], -1.5)
    potential = load_potential(POD | {"reference": reference.to_dict()})
    assert potential.reference == reference
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=10)
    for model, count in ((potential, 1), (replace(potential, reference=None), 0)):
        script = write_md_input(["Li", "N"], settings, model, {})
        assert script.count("read_data reference.data") == script.count("\nclear\n") == count
        assert script.count("pair_coeff * * param.pod coeff.pod N Li") == 1 + count
    with pytest.raises(ValueError, match="positions_A has 3 numbers for 2 atoms"):
        load_potential(POD | {"reference": reference.to_dict() | {"positions_A": [0.0, 0.0, 0.0]}})
