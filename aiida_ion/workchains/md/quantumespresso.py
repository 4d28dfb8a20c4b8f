"""``ion.md.quantumespresso``: the MD interface on Quantum ESPRESSO's pw.x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ProcessHandlerReport, process_handler

from aiida_ion.calculations.dft.kpoints import mesh_node
from aiida_ion.calculations.quantumespresso.md import THERMOSTATS, QuantumEspressoMdCalculation
from aiida_ion.calculations.quantumespresso.relax import QuantumEspressoRelaxCalculation
from aiida_ion.dft.pw.input import more_robust_scf
from aiida_ion.workchains.md.base import MdBaseWorkChain
from aiida_ion.workchains.md.facts import as_node
from aiida_ion.workchains.md.quantumespresso_bands import PwBands
from aiida_ion.workchains.md.quantumespresso_inputs import (
    build_namelists,
    electron_remarks,
    functional_of,
    level_name,
    load_family,
    pseudos_of,
)
from aiida_ion.workchains.md.quantumespresso_options import family_warnings, quantumespresso_choices
from aiida_ion.workchains.md.quantumespresso_points import PwSinglePoints
from aiida_ion.workchains.md.requests import EngineSetup
from aiida_ion.workchains.md.small_cells import lithium_oxide

#: This many times in a row the electrons are tried again at the same place, each time with more robust settings.
MAX_SCF_RETRIES = 2


class QuantumEspressoMdWorkChain(MdBaseWorkChain):
    """Born-Oppenheimer molecular dynamics with pw.x in restartable segments."""

    _process_class = QuantumEspressoMdCalculation
    relax_class = QuantumEspressoRelaxCalculation
    single_points = PwSinglePoints
    bands = PwBands
    thermostats = THERMOSTATS
    is_dft = True
    executables = ("pw",)
    add_options = ("pseudos", "ecutwfc_Ry", "ecutrho_Ry", "pools", "settings", "kpoints", "shift_kpoints")
    run_options = ("kpoints",)
    test_steps = 5
    engine_ports = ("code", "pseudos", "kpoints", "namelists", "parallelization")

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare the one way to end that only DFT has."""
        super().define(spec)
        spec.exit_code(
            520,
            "ERROR_SCF_GAVE_UP",
            message="The electrons do not converge, also with smaller mixing; the frames before are kept: {detail}",
        )

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return program and functional, such as ``QE PBEsol``, and cut-offs that are below the hints of the files."""
        return level_name(engine)

    @classmethod
    def engine_inputs(
        cls,
        structure: orm.StructureData,
        protocol: str | None = None,
        *,
        pseudo_family: orm.Group | str | None = None,
        pseudos: Mapping[str, Any] | None = None,
        ecutwfc_Ry: float | None = None,
        ecutrho_Ry: float | None = None,
        namelists: Mapping[str, Any] | None = None,
        kpoints: Any = None,
        shift_kpoints: bool = False,
        **choices: Any,
    ) -> dict[str, Any]:
        """Return the engine namespace for a structure.

        :param pseudo_family: family of aiida-pseudo, or its label.
        :param pseudos: pseudopotential by kind or element; those of the family where not given.
        :param ecutwfc_Ry: cut-off of the wave functions, Ry; what the family recommends where not given, else what
            the files suggest.
        :param ecutrho_Ry: cut-off of the density, Ry; where not given, in the family's proportion to ``ecutwfc_Ry``,
            else 4 times it with norm-conserving pseudopotentials and 8 times with others. Where neither is given and
            no family recommends them, both are what the pseudopotential files suggest.
        :param namelists: what to override of the protocol's namelists.
        :param kpoints: a node, or a mesh of three whole numbers; the Gamma point where not given.
        :param shift_kpoints: whether a mesh is shifted by half a step along each vector, which makes a coarse one
            better: 2 x 2 x 2 has four k-points then instead of eight.
        :param choices: the rest: ``code``, ``parallelization``.
        :raises ValueError: if something is missing or does not fit the structure.
        """
        family = load_family(pseudo_family)
        chosen = pseudos_of(structure, family, pseudos)
        made = build_namelists(
            structure,
            protocol,
            chosen,
            family,
            ecutwfc_Ry=ecutwfc_Ry,
            ecutrho_Ry=ecutrho_Ry,
            overrides=namelists,
        )
        engine = {
            "pseudos": chosen,
            "namelists": orm.Dict(made),
            "kpoints": mesh_node([1, 1, 1] if kpoints is None else kpoints, shift_kpoints),
        }
        functional_of(engine)  # different functionals are refused here
        return {key: as_node(value) for key, value in (engine | choices).items() if value is not None}

    @classmethod
    def read_options(cls, setup: EngineSetup) -> dict[str, Any]:
        """Return pseudopotentials, cut-offs, namelists and k-points."""
        return {"choices": quantumespresso_choices(setup)}

    @classmethod
    def cutoff_warnings(cls, choices: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each pseudopotential of the family that suggests more than the cut-offs given."""
        return family_warnings(choices)

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return the smallest cell of lithium oxide."""
        del choices
        return lithium_oxide(primitive=True), 300.0

    @classmethod
    def remarks(cls, structure: orm.StructureData, engine: Mapping[str, Any]) -> list[str]:
        """Return sentences on electrons and cut-offs that pw.x would not say."""
        return electron_remarks(structure, engine)

    def setup(self) -> None:
        """Prepare the inputs of the first job."""
        super().setup()
        self.ctx.scf_failures = 0
        self.ctx.scf_robustness = 0

    @process_handler(priority=600, exit_codes=[ExitCode(440)])
    def handle_scf_not_converged(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport:
        """Continue from the last whole step with smaller mixing and more iterations."""
        progressed = self._progressed(calculation)
        self.ctx.scf_failures = 1 if progressed else self.ctx.scf_failures + 1
        if self.ctx.scf_failures > MAX_SCF_RETRIES:
            code = self.exit_codes.ERROR_SCF_GAVE_UP.format(detail=calculation.exit_message)
            return ProcessHandlerReport(True, code)
        self.ctx.scf_robustness = min(self.ctx.scf_robustness + 1, MAX_SCF_RETRIES)
        namelists = more_robust_scf(self.inputs.engine.namelists.get_dict(), self.ctx.scf_robustness)
        self.ctx.inputs.namelists = orm.Dict(namelists).store()
        text = ", ".join(f"{key} {namelists['ELECTRONS'][key]:g}" for key in ("mixing_beta", "electron_maxstep"))
        self.report(f"the electrons did not converge and are tried again with {text}: {calculation.exit_message}")
        return self._continue_from(calculation) if progressed else ProcessHandlerReport(True)
