"""Published classical potentials by name, and checks of LAMMPS commands given by users.

Every number is in LAMMPS ``metal`` units (eV, angstrom, e). The charges here are those of the potential and
may be partial; a conductivity is computed with formal charges, which belong to the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any, ClassVar

from aiida_ion.lammps.commands import check_commands
from aiida_ion.lammps.fitted import Reference, validate_composition
from aiida_ion.lammps.pod.order import check_pod_commands
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import CHARGES, MdSettings
from aiida_ion.settings.rules import SHA256, Lines, Number, Word
from aiida_ion.settings.schema import Part, Settings, flag, rules_of, setting, suggestion
from aiida_ion.settings.values import SettingsError

#: Words in pair styles that pass their file to Python, which unpickles it.
UNPICKLING_WORDS = ("mliappy", "unified")
BARE_NAME = Word(pattern=(r"[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*", "bare file names"))
#: A reduced formula with the elements in alphabetical order.
FORMULA = Word(pattern=(r"([A-Z][a-z]?[0-9]*)+", "formulas such as Li3N"))
_NEUTRAL_E = 1e-6
#: Below this many atoms a plain Ewald sum is faster than the particle mesh (measured: 96 atoms 1.5 times).
_EWALD_ATOMS = 200


@dataclass(frozen=True)
class Potential:
    """One interatomic potential as LAMMPS commands.

    :param name: name in :data:`POTENTIALS`, or ``custom``.
    :param level_of_theory: the label of all results.
    :param citation: where the numbers were published, with its DOI where one is known.
    :param elements: elements it describes; empty means any (the commands decide).
    :param charges: charge of each element in the potential, e.
    :param header: commands before the pair coefficients.
    :param pairs: arguments of ``pair_coeff`` for each pair of elements, in any order of the two.
    :param absent_pair: arguments for a pair that is not in ``pairs``; None leaves it out.
    :param footer: commands after the pair coefficients.
    :param timestep_fs: recommended time step, fs.
    :param note: what users should know.
    :param files: files that the commands read, which must be in the folder of the input.
    :param trusted_sha256: sha256 of those files that may run code, as the user allowed.
    :param species: elements in the order of the atom types, where the files of the potential demand one.
    :param compositions: reduced formulas of the cells that it was fitted to; none means any.
    :param volumes_A3_atom: smallest and largest volume of the frames that it was fitted to; empty means any.
    :param fixed_cell: whether its stress was not fitted, so that only cells of a given shape can be simulated.
    :param reference: frame with the energy that every job must find before it starts.
    """

    name: str
    level_of_theory: str
    citation: str
    elements: tuple[str, ...]
    charges: Mapping[str, float]
    header: tuple[str, ...]
    pairs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    absent_pair: str | None = None
    footer: tuple[str, ...] = ()
    timestep_fs: float = 1.0
    note: str = ""
    files: tuple[str, ...] = ()
    trusted_sha256: tuple[str, ...] = ()
    species: tuple[str, ...] = ()
    compositions: tuple[str, ...] = ()
    volumes_A3_atom: tuple[float, ...] = ()
    fixed_cell: bool = False
    reference: Reference | None = None

    @property
    def unpickles(self) -> bool:
        """Whether its commands make LAMMPS unpickle a file."""
        styles = (line.split() for line in self.header if line.startswith("pair_style"))
        return any(word in words for words in styles for word in UNPICKLING_WORDS)

    def commands(self, elements: Sequence[str], n_atoms: int = 0) -> list[str]:
        """Return the LAMMPS commands for the atom types 1, 2, ... = ``elements``.

        :param n_atoms: number of atoms in the cell, for the choice of the lattice sum.

        :raises ValueError: for an element that the potential does not describe, naming it, and for types in another
            order than the files of the potential demand.
        """
        self.require(elements)
        if self.species and tuple(elements) != self.species:
            raise ValueError(
                f"the atom types are numbered {' '.join(elements)}, and the potential {self.name!r} needs "
                f"{' '.join(self.species)}"
            )
        order = " ".join(elements)
        lattice_sum = "ewald" if n_atoms < _EWALD_ATOMS else "pppm"
        lines = [line.replace("{elements}", order).replace("{lattice_sum}", lattice_sum) for line in self.header]
        for (i, first), (j, second) in combinations_with_replacement(enumerate(elements, start=1), 2):
            arguments = self.pairs.get((first, second), self.pairs.get((second, first), self.absent_pair))
            if arguments is not None:
                lines.append(f"pair_coeff {i} {j} {arguments}")
        return lines + list(self.footer)

    def type_order(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """Return the elements in the order of LAMMPS's atom types 1, 2, ...: first appearance, or that of the files.

        :param symbols: element of every atom.
        :raises ValueError: if the files have an order and the cell lacks one of their elements, or has another one.
        """
        order = tuple(dict.fromkeys(symbols))
        if not self.species:
            return order
        if set(order) != set(self.species):
            raise ValueError(
                f"the potential {self.name!r} is one of cells with {', '.join(self.species)}, each of them, and the "
                f"cell has {', '.join(sorted(order))}"
            )
        return self.species

    def require_composition(self, symbols: Sequence[str]) -> None:
        """Refuse a cell of another composition than those that the potential was fitted to.

        :raises ValueError: naming both.
        """
        self.type_order(symbols)
        problem = validate_composition(self.compositions, symbols, f"the potential {self.name!r}")
        if problem is not None:
            raise ValueError(problem)

    def require(self, symbols: Sequence[str]) -> None:
        """Refuse a structure that the potential cannot describe.

        :param symbols: element of every atom.
        :raises ValueError: for an unknown element.
        """
        unknown = sorted(set(symbols) - set(self.elements)) if self.elements else []
        if unknown:
            raise ValueError(
                f"the potential {self.name!r} has no {', '.join(unknown)}; it describes {', '.join(self.elements)}"
            )

    def require_neutral(self, symbols: Sequence[str]) -> None:
        """Refuse a cell with a net charge if there is a lattice sum.

        :raises ValueError: naming the net charge.
        """
        total_e = sum(self.charges.get(symbol, 0.0) for symbol in symbols)
        if abs(total_e) > _NEUTRAL_E and any(line.startswith("kspace_style") for line in self.header):
            raise ValueError(
                f"the cell carries {total_e:+g} e with the charges of {self.name!r}: a lattice sum needs a neutral cell"
            )


# Pedone et al. 2006: charge (e); D (eV), a (1/angstrom), r0 (angstrom), C (eV angstrom^12) with oxygen.
_PEDONE: Mapping[str, tuple[float, str]] = {
    "Li": (0.6, "0.001114 3.429506 2.681360 1.0"),
    "Na": (0.6, "0.023363 1.763867 3.006315 5.0"),
    "K": (0.6, "0.011612 2.062605 3.305308 5.0"),
    "Mg": (1.2, "0.038908 2.281000 2.586153 5.0"),
    "Ca": (1.2, "0.030211 2.241334 2.923245 5.0"),
    "Sr": (1.2, "0.019623 1.886000 3.328330 3.0"),
    "Ba": (1.2, "0.065011 1.547596 3.393410 5.0"),
    "Zn": (1.2, "0.001221 3.150679 2.851850 1.0"),
    "Al": (1.8, "0.361581 1.900442 2.164818 0.9"),
    "Si": (2.4, "0.340554 2.006700 2.100000 1.0"),
    "Ge": (2.4, "0.158118 2.294230 2.261313 5.0"),
    "Ti": (2.4, "0.024235 2.254703 2.708943 1.0"),
    "Zr": (2.4, "0.206237 2.479675 2.436997 1.0"),
    "P": (3.0, "0.831326 2.585833 1.800790 1.0"),
    "O": (-1.2, "0.042395 1.379316 3.618701 22.0"),
}

POTENTIALS: Mapping[str, Potential] = {
    potential.name: potential
    for potential in (
        Potential(
            name="pedone-2006",
            level_of_theory="classical/Pedone-2006",
            citation="A. Pedone, G. Malavasi, M. C. Menziani, A. N. Cormack, U. Segre, "
            "J. Phys. Chem. B 110, 11780 (2006), doi:10.1021/jp0611018",
            elements=tuple(_PEDONE),
            charges={element: charge for element, (charge, _) in _PEDONE.items()},
            header=(
                "pair_style hybrid/overlay coul/long 8.0 pedone 8.0",
                "pair_coeff * * coul/long",
                "kspace_style {lattice_sum} 1.0e-4",
            ),
            pairs={(element, "O"): f"pedone {numbers}" for element, (_, numbers) in _PEDONE.items()},
            footer=("pair_modify shift yes",),
            timestep_fs=1.0,
            note="Morse + C/r^12 + Coulomb with partial charges (O -1.2 e); the r^12 wall keeps ions from "
            "falling into each other. Fitted to oxides and silicates at 0 K. Antifluorite Li2O: a = 4.66 "
            "angstrom at 300 K (experiment 4.62), superionic from about 1000 K, where experiment has the onset "
            "(Annamareddy, Eapen, Entropy 19, 227 (2017), doi:10.3390/e19050227).",
        ),
        Potential(
            name="gillan-caf2-1986",
            level_of_theory="classical/Gillan-1986",
            citation="M. J. Gillan, Collective dynamics in super-ionic CaF2, "
            "J. Phys. C: Solid State Phys. 19, 3391 and 3517 (1986)",
            elements=("Ca", "F"),
            charges={"Ca": 2.0, "F": -1.0},
            header=("pair_style buck/coul/long 8.0", "kspace_style {lattice_sum} 1.0e-4"),
            pairs={("Ca", "F"): "674.3 0.336 0.0", ("F", "F"): "1808.0 0.293 109.1"},
            absent_pair="0.0 1.0 0.0",
            timestep_fs=2.0,
            note="Rigid ions. The F-F term falls to minus infinity inside about 1 angstrom; ions never come "
            "that close below the melting point, and a run where they do is stopped by the force limit. Here "
            "a = 5.48 angstrom at 300 K (experiment 5.463), superionic from about 1350 K.",
        ),
        Potential(
            name="lennard-jones-argon",
            level_of_theory="classical/Lennard-Jones",
            citation="L. Verlet, Phys. Rev. 159, 98 (1967), doi:10.1103/PhysRev.159.98",
            elements=("Ar",),
            charges={},
            header=("pair_style lj/cut 8.5125",),
            pairs={("Ar", "Ar"): "0.010323578 3.405"},
            footer=("pair_modify shift yes",),
            timestep_fs=5.0,
            note="epsilon = 119.8 K, sigma = 3.405 angstrom, truncated at 2.5 sigma and shifted to zero there.",
        ),
    )
}


@dataclass(frozen=True)
class OwnPotential(Settings):
    """A potential given by a user."""

    what: ClassVar[str] = "potential setting"

    commands: str = setting(Lines(help="LAMMPS commands, metal units"))
    level_of_theory: str = setting(Word(help="The name that every result carries"))
    charges: dict[str, float] = setting(CHARGES, {})
    files: list[str] = setting(Many(item=BARE_NAME, may_be_empty=True, help="Files that the commands name"), [])
    elements: list[str] = setting(Many(item=Element(), may_be_empty=True, help="Elements; none means any"), [])
    citation: str = setting(Lines(help="Where it was published"), "")
    name: str = setting(Word(help="Its name"), "custom")
    timestep_fs: float = setting(rules_of(MdSettings)["timestep_fs"], 1.0)
    trusted_sha256: list[str] = setting(
        Many(item=SHA256, may_be_empty=True, help="Files that may be loaded although that runs their code"), []
    )
    species: list[str] = setting(
        Many(item=Element(), may_be_empty=True, distinct=True, help="Elements in the order of the atom types"), []
    )
    compositions: list[str] = setting(
        Many(item=FORMULA, may_be_empty=True, help="Reduced formulas of the cells it was fitted to; none means any"), []
    )
    volumes_A3_atom: list[float] = setting(
        Many(item=Number(above=0.0, unit="A^3"), may_be_empty=True, help="Smallest and largest volume per atom"), []
    )
    fixed_cell: bool = flag(False, help="Whether its stress was not fitted: no `npt`")
    reference: Reference | None = setting(
        Part(kind=Reference, optional=True, help="Frame whose energy every job checks"), None
    )

    def check_together(self) -> None:
        """Refuse commands whose elements may be in another order than in the files, and half a range of volumes.

        :raises SettingsError: saying what to write.
        """
        if len(self.volumes_A3_atom) not in (0, 2) or sorted(self.volumes_A3_atom) != self.volumes_A3_atom:
            raise SettingsError(f"volumes_A3_atom must be the smallest and the largest, got {self.volumes_A3_atom}")
        try:
            check_pod_commands(check_commands(self.commands), self.species, self.files)
        except ValueError as error:
            raise SettingsError(str(error)) from error


def load_potential(spec: str | Mapping[str, Any]) -> Potential:
    """Return a potential by its name in :data:`POTENTIALS`, or from a user's own LAMMPS commands.

    :param spec: a name, or ``{"commands": str, "charges": {element: e}, "level_of_theory": str,
        "files": [str]}``, where ``{elements}`` in the commands stands for the elements in the order of the
        atom types, and a type may be named by its element (``pair_coeff Ca F ...``).
    :raises ValueError: for an unknown name (the message lists the choices) or a command that is not allowed.
    """
    if isinstance(spec, str):
        if spec not in POTENTIALS:
            raise ValueError(f"no potential {spec!r}{suggestion(spec, sorted(POTENTIALS))}")
        return POTENTIALS[spec]
    own = OwnPotential.from_dict(spec)
    return Potential(
        name=own.name,
        level_of_theory=own.level_of_theory,
        citation=own.citation,
        elements=tuple(own.elements),
        charges=own.charges,
        header=tuple(check_commands(own.commands)),
        timestep_fs=own.timestep_fs,
        files=tuple(own.files),
        trusted_sha256=tuple(digest.lower() for digest in own.trusted_sha256),
        species=tuple(own.species),
        compositions=tuple(own.compositions),
        volumes_A3_atom=tuple(own.volumes_A3_atom),
        fixed_cell=own.fixed_cell,
        reference=own.reference,
    )
