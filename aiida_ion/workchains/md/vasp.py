"""``ion.md.vasp``: the MD interface on VASP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ProcessHandlerReport, process_handler

from aiida_ion.calculations.dft.kpoints import gamma_point, mesh_node
from aiida_ion.calculations.vasp.md import THERMOSTATS, VaspMdCalculation
from aiida_ion.calculations.vasp.relax import VaspRelaxCalculation
from aiida_ion.workchains.md.base import MdBaseWorkChain
from aiida_ion.workchains.md.requests import EngineSetup
from aiida_ion.workchains.md.small_cells import lithium_oxide
from aiida_ion.workchains.md.vasp_bands import VaspBands
from aiida_ion.workchains.md.vasp_inputs import (
    incar_of_protocol,
    level_name,
    mapping_warnings,
    potentials_of,
    remarks_on,
    with_enough_encut,
)
from aiida_ion.workchains.md.vasp_options import vasp_choices
from aiida_ion.workchains.md.vasp_points import VaspSinglePoints

#: How often electrons that do not converge are tried again, each time with more iterations.
MAX_SCF_RETRIES = 2


class VaspMdWorkChain(MdBaseWorkChain):
    """Molecular dynamics with VASP in restartable segments."""

    _process_class = VaspMdCalculation
    relax_class = VaspRelaxCalculation
    single_points = VaspSinglePoints
    bands = VaspBands
    thermostats = THERMOSTATS
    is_dft = True
    executables = ("vasp", "mock-vasp")
    add_options = ("potcars", "potcar_map", "settings", "kpoints")
    run_options = ("kpoints",)
    test_steps = 5
    engine_ports = ("code", "potential", "kpoints", "incar")

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare the one way to give up that only DFT has."""
        super().define(spec)
        spec.exit_code(
            520, "ERROR_SCF_GAVE_UP", message="The electrons do not converge; the frames before are kept: {detail}"
        )

    def setup(self) -> None:
        """Prepare the inputs of the first job."""
        super().setup()
        self.ctx.scf_retries = 0

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return program and functional, such as ``VASP PBE`` or ``VASP R2SCAN``, and an `encut` below ENMAX."""
        return level_name(engine)

    @classmethod
    def engine_inputs(  # type: ignore[override]
        cls,
        structure: orm.StructureData,
        protocol: str | None = None,
        *,
        code: orm.AbstractCode | None = None,
        potential_family: str | None = None,
        potential_mapping: Mapping[str, str] | None = None,
        incar: Mapping[str, Any] | None = None,
        kpoints: Any = None,
        potential: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the engine namespace for a structure.

        :param structure: the crystal.
        :param protocol: ``fast``, ``balanced``, ``stringent`` or ``obelix``.
        :param code: VASP; the Gamma-only executable is the fastest for the default k-points.
        :param potential_family: family of POTCARs, as ``aiida-vasp potcar uploadfamily`` made it.
        :param potential_mapping: element or kind -> POTCAR, such as ``{"Li": "Li_sv"}``; those of MPRelaxSet otherwise.
        :param incar: tags that win over the protocol's.
        :param kpoints: a node, or a mesh of three whole numbers; the Gamma point when not given.
        :param potential: kind -> POTCAR, instead of a family.
        :raises ValueError: if a POTCAR is missing or a tag cannot be used; the message says which, and what to do.
        """
        if potential is None and potential_family is None:
            raise ValueError("give potential_family, made by `aiida-vasp potcar uploadfamily`, or `potential`")
        chosen = dict(potential or potentials_of(structure, str(potential_family), potential_mapping))
        inputs = {
            "code": code,
            "potential": chosen,
            "kpoints": gamma_point() if kpoints is None else mesh_node(kpoints),
            "incar": with_enough_encut(incar_of_protocol(protocol, incar), incar, chosen),
        }
        return {name: value for name, value in inputs.items() if value is not None}

    @classmethod
    def read_options(cls, setup: EngineSetup) -> dict[str, Any]:
        """Return POTCARs, INCAR tags and k-points."""
        return {"choices": vasp_choices(setup)}

    @classmethod
    def cutoff_warnings(cls, choices: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each POTCAR of the mapping whose ENMAX is above the `encut` of the engine."""
        return mapping_warnings(choices)

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return the smallest cell of lithium oxide."""
        del choices
        return lithium_oxide(primitive=True), 300.0

    @classmethod
    def remarks(cls, structure: orm.StructureData, engine: Mapping[str, Any]) -> list[str]:
        """Return sentences on what the user should know before VASP runs this structure."""
        return remarks_on(structure, engine)

    @process_handler(priority=450, exit_codes=[ExitCode(440)])
    def handle_scf_not_converged(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport:
        """Go on from the last good step with another algorithm and more iterations, at most twice."""
        if self.ctx.scf_retries >= MAX_SCF_RETRIES:
            code = self.exit_codes.ERROR_SCF_GAVE_UP.format(detail=calculation.exit_message)
            return ProcessHandlerReport(True, code)
        self.ctx.scf_retries += 1
        tags = self.ctx.inputs.incar.get_dict()
        changed = {"algo": "All", "nelm": 2 * int(tags.get("nelm", 60))}
        self.ctx.inputs.incar = orm.Dict(tags | changed)
        if self._progressed(calculation):
            self.ctx.inputs.restart_from = calculation.outputs.state
            self.ctx.inputs.pop("initial_velocities", None)
        self.report(f"{calculation.process_label}<{calculation.pk}> is tried again with {changed}")
        return ProcessHandlerReport(True)
