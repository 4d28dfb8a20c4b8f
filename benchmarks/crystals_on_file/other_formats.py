"""Formats that ASE and pymatgen read."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.io import write
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from benchmarks.crystals_on_file.makers import LITHIA_PLACES, Hostile


def _lithia() -> Atoms:
    return Atoms(
        "Li8O4",
        cell=[4.62] * 3,
        pbc=True,
        scaled_positions=[[float(x) for x in line.split()] for line in LITHIA_PLACES.split("\n")],
    )


def _text(atoms: Atoms | list[Atoms], ase_format: str, **more: object) -> bytes:
    file = io.StringIO()
    write(file, atoms, format=ase_format, **more)
    return file.getvalue().encode()


def extended_xyz() -> Iterator[Hostile]:
    """Extended xyz: frames, cells, periodicity."""
    lithia = _lithia()
    yield Hostile("extxyz", "x.extxyz", _text(lithia, "extxyz"), "Li8O4")
    yield Hostile("extxyz by the name of xyz", "x.xyz", _text(lithia, "extxyz"), "Li8O4")
    yield Hostile("two frames", "x.extxyz", _text([lithia, lithia], "extxyz"), "Li8O4", "frame 2 of 2, the last")
    slab = lithia.copy()
    slab.pbc = (True, True, False)
    yield Hostile("a slab", "x.extxyz", _text(slab, "extxyz"), "", "not periodic along all three")
    molecule = Atoms("H2O", positions=[[0, 0, 0.76], [0, 0, -0.76], [0.6, 0, 0]])
    yield Hostile("xyz without a cell", "x.xyz", _text(molecule, "xyz"), "", "no periodic cell")
    dummy = lithia.copy()
    dummy.numbers[0] = 0
    yield Hostile("a dummy atom", "x.extxyz", _text(dummy, "extxyz"), "", "not an element")
    moving = lithia.copy()
    moving.set_momenta([[0.1, 0, 0]] * 12)
    yield Hostile(
        "velocities",
        "x.extxyz",
        _text(moving, "extxyz", columns=["symbols", "positions", "momenta"]),
        "Li8O4",
        "velocities",
    )
    yield Hostile("frames of two crystals", "x.extxyz", _text([lithia, lithia[:8]], "extxyz"), "", "different crystals")
    shared = lithia.copy()
    shared.set_array("occupancy", np.full(12, 0.5))
    yield Hostile("an occupancy in extxyz", "x.extxyz", _text(shared, "extxyz"), "", "disordered")
    yield Hostile(
        "a cell of 1e100", "x.extxyz", b'1\nLattice="1e100 0 0 0 4 0 0 0 4" pbc="T T T"\nLi 0 0 0\n', "", "longer"
    )
    yield Hostile("a cut frame", "x.extxyz", _text(lithia, "extxyz")[:-80], "", "that many lines")
    yield Hostile(
        "a number of atoms too large",
        "x.extxyz",
        b'99999999999\nLattice="4 0 0 0 4 0 0 0 4"\nLi 0 0 0\n',
        "",
        "that many lines",
    )
    yield Hostile(
        "nan in a position", "x.extxyz", b'1\nLattice="4 0 0 0 4 0 0 0 4" pbc="T T T"\nLi nan 0 0\n', "", "not a number"
    )
    left = lithia.copy()
    left.set_cell(lithia.cell[[1, 0, 2]])
    yield Hostile("left-handed extxyz", "x.extxyz", _text(left, "extxyz"), "Li8O4", "left-handed")


def other_formats() -> Iterator[Hostile]:
    """The other formats that ASE and pymatgen read."""
    lithia = _lithia()
    pseudos = {"Li": "Li.upf", "O": "O.upf"}
    pw = _text(lithia, "espresso-in", pseudopotentials=pseudos, input_data={"system": {"ecutwfc": 30}}).decode()
    yield Hostile("input of pw.x", "x.in", pw.encode(), "Li8O4")
    yield Hostile("labels of pw.x", "x.in", re.sub(r"(?m)^Li ", "LI1 ", pw).encode(), "Li8O4")
    few = re.sub(r"nat( *)= 12", r"nat\1= 11", pw)
    yield Hostile("more positions than nat", "x.in", few.encode(), "", "nat = 11 but has 12")
    group = pw.replace("nat ", "space_group = 225\n nat ", 1)
    yield Hostile("a space group of pw.x", "x.in", group.encode(), "", "space_group")
    yield Hostile("a traj that is none", "x.traj", b"not a trajectory", "", "cannot be read")
    yield Hostile("a pickle as traj", "x.traj", b"\x80\x04\x95\x10\x00\x00\x00", "", "cannot be read")
    yield Hostile("no input of pw.x", "x.in", b"hello\n", "", "no &SYSTEM")
    yield Hostile("a broken input of pw.x", "x.pwi", b"&SYSTEM\n ibrav=0, nat=3\n/\n", "", "cannot be read")
    yield Hostile("an empty vasprun.xml", "vasprun.xml", b"<modeling></modeling>", "", "cannot be read")
    yield Hostile("entities", "vasprun.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><modeling>&a;</modeling>', "", "entities")
    yield Hostile("a molecule's file", "x.pdb", b"ATOM\n", "", "PDB")
    yield Hostile("an unknown ending", "x.foo", b"hello", "", "is not that of a supported format")
    yield Hostile("no ending", "crystal", b"hello", "", "is not that of a supported format")
    structure: Structure = AseAtomsAdaptor.get_structure(lithia)
    yield Hostile("JSON of pymatgen", "x.json", json.dumps(structure.as_dict()).encode(), "Li8O4")
    charged = structure.copy()
    charged.add_oxidation_state_by_element({"Li": 1, "O": -2})
    yield Hostile("oxidation states", "x.json", json.dumps(charged.as_dict()).encode(), "Li8O4", "oxidation states")
    heavy = json.dumps(structure.as_dict()).replace('"element": "Li"', '"element": "D"')
    yield Hostile("deuterium in JSON", "x.json", heavy.encode(), "H8O4", "mass of H")
    mixed = structure.copy()
    mixed[0] = {"Li": 0.5, "Na": 0.5}
    yield Hostile("a shared site in JSON", "x.json", json.dumps(mixed.as_dict()).encode(), "", "disordered")
    other = json.dumps(structure.as_dict() | {"@module": "os.path", "@class": "join"})
    yield Hostile("JSON of another class", "x.json", other.encode(), "", "not a pymatgen structure")
    yield Hostile("JSON of anything", "x.json", b'{"a": [1, 2, {"b": null}]}', "", "")
    yield Hostile("deep JSON", "x.json", b"[" * 100_000, "", "not JSON")
