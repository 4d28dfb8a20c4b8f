"""POSCARs of other versions, and damaged ones."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.crystals_on_file.makers import LITHIA_PLACES, Hostile, poscar


def poscars() -> Iterator[Hostile]:
    """POSCARs of other versions, and damaged ones."""

    def read(name: str, text: str, formula: str = "Li8O4", words: str = "", file: str = "POSCAR") -> Hostile:
        return Hostile(f"POSCAR: {name}", file, text.encode(), formula, words)

    yield read("as it should be", poscar())
    yield read("by its ending", poscar(), file="cell.vasp")
    yield read("VASP 4 without names", poscar(species="8 4"), "", "VASP 4")
    yield read("VASP 4 with names in the first line", poscar(species="8 4", comment="Li O"), words="first line")
    yield read("VASP 4 with a formula in the first line", poscar(species="8 4", comment="Li2O"), "", "VASP 4")
    named = "\n".join(f"{line} {'Li' if n < 8 else 'O'}" for n, line in enumerate(LITHIA_PLACES.split("\n")))
    yield read("VASP 4 with names behind the positions", poscar(species="8 4", places=named))
    yield read("names of POTCARs", poscar(species="Li_sv O/1a2b3c\n8 4"))
    yield read("a species that is none", poscar(species="Li Vac\n8 4"), "", "not an element")
    yield read("a negative scale", poscar(scale="-98.611", cell="1 0 0\n0 1 0\n0 0 1"))
    cartesian = "\n".join(" ".join(str(4.62 * float(x)) for x in line.split()) for line in LITHIA_PLACES.split("\n"))
    yield read("Cartesian", poscar(mode="Cartesian", places=cartesian))
    unit = "\n".join(" ".join(str(float(x)) for x in line.split()) for line in LITHIA_PLACES.split("\n"))
    yield read(
        "a negative scale with Cartesian positions",
        poscar(scale="-98.611", cell="1 0 0\n0 1 0\n0 0 1", mode="k", places=unit),
    )
    yield read("three scales", poscar(scale="4.62 4.62 4.62", cell="1 0 0\n0 1 0\n0 0 1"))
    yield read("a scale of 0", poscar(scale="0"), "", "is not possible")
    yield read("no scale", poscar(scale="x"), "", "line 2")
    moving = "\n".join(f"{line} T T F" for line in LITHIA_PLACES.split("\n"))
    yield read("selective dynamics", poscar(mode="Selective dynamics\nDirect", places=moving), words="every atom moves")
    speeds = "\n" + "\n".join(["0.1 0 0"] * 12)
    yield read("velocities", poscar(tail=speeds), words="velocities")
    yield read("left-handed", poscar(cell="0 4.62 0\n4.62 0 0\n0 0 4.62"), words="left-handed")
    yield read("a flat cell", poscar(cell="4.62 0 0\n4.62 0 0\n0 0 4.62"), "", "no volume")
    yield read("a row too few", poscar(places="\n".join(LITHIA_PLACES.split("\n")[:-1])), "", "12 atoms but has 11")
    yield read("a row too many", poscar(places=LITHIA_PLACES + "\n0.1 0.1 0.1"), "", "12 atoms but has 13")
    yield read(
        "touching numbers", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "-0.25-0.25-0.25")), "", "3 numbers"
    )
    yield read("asterisks", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "*** 0.25 0.25", 1)), "", "3 numbers")
    yield read("nan", poscar(places=LITHIA_PLACES.replace("0.25 0.25 0.25", "nan 0.25 0.25", 1)), "", "3 numbers")
    yield read("no mode", poscar(mode="0.25 0.25 0.25"), "", "'Direct' or 'Cartesian'")
    yield read("Cartesian positions as direct", poscar(places=cartesian), "", "are they Cartesian")
    yield read("1e11 atoms", poscar(species="Li O\n100000000000 4"), "", "more than")
    yield read("negative counts", poscar(species="Li O\n-8 4"), "", "above zero")
    yield read("counts with a point", poscar(species="Li O\n8.0 4"), "", "as integers")
    yield read("a comment behind the counts", poscar(species="Li O\n8 4 ! atoms"))
    yield read("deuterium", poscar(species="D O\n8 4"), "H8O4", "mass of H")
    yield read("more names than counts", poscar(species="Li O S\n8 4"), "", "has 3 species")
    yield read("cut", "\n".join(poscar().split("\n")[:5]), "", "too few lines")
    yield read("in nanometre", poscar(scale="0.1"), "", "apart")
    yield read("in bohr", poscar(scale="1.8897"), "", "far too empty")
