"""A small campaign through the real work chains: ``python -m tests.dashboards.make_campaign ENGINES OUT``.

It is exported as an archive: superionic calcium fluoride at two levels of theory, lithium oxide that does not move,
argon at two levels with forces, a run that failed, and one that was extended and melts at a temperature. It runs by
itself, in a profile of its own, so that the session that asks for it keeps the profile it has.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

OPTIONS = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}, "withmpi": False}
SOFTER = """
pair_style buck/coul/long 8.0
kspace_style ewald 1.0e-4
pair_coeff * * 0.0 1.0 0.0
pair_coeff Ca F 640.0 0.336 0.0
pair_coeff F F 1808.0 0.293 109.1
"""


def main(engines: Path, out: Path) -> None:
    """Run the campaign and write its archive."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIIDA_PATH"] = home
        from aiida import load_profile, orm
        from aiida.manage.configuration import create_profile, get_config
        from aiida.tools.archive import create_archive

        config = get_config(create=True)
        where = {"filepath": f"{home}/storage"}
        # As a test profile, whose engine waits little between two looks at a job.
        settings = {"name": "campaign", "email": "someone@localhost", "is_test_profile": True}
        create_profile(config, storage_backend="core.sqlite_dos", storage_config=where, **settings)
        load_profile("campaign")
        from tests.quick_engine import quick_engine

        with quick_engine():
            Campaign(engines, Path(home)).run()
        group = orm.Group("campaign").store()
        group.add_nodes(orm.QueryBuilder().append(orm.WorkChainNode).all(flat=True))
        create_archive(None, filename=out, overwrite=True)


class Campaign:
    """The codes, the crystals and the runs."""

    def __init__(self, engines: Path, home: Path) -> None:
        from aiida import orm

        computer = orm.Computer("localhost", "localhost", "", "core.local", "core.direct", str(home / "work")).store()
        computer.set_default_mpiprocs_per_machine(1)
        computer.set_minimum_job_poll_interval(0.1)
        computer.configure(safe_interval=0, use_login_shell=False)
        lammps = engines / "lammps"

        def code(label: str, plugin: str, program: str, prepend: str = "") -> orm.InstalledCode:
            settings = {"default_calc_job_plugin": plugin, "filepath_executable": program, "prepend_text": prepend}
            return orm.InstalledCode(label=label, computer=computer, **settings).store()

        libraries = f"export LD_LIBRARY_PATH={lammps}/lib:$LD_LIBRARY_PATH"
        self.lammps = code("lammps", "ion.lammps_md", f"{lammps}/bin/lmp", libraries)
        self.ase = code("ase", "ion.mlip_md", sys.executable)
        self.diffusion = code("kinisi", "ion.diffusion", sys.executable)

    def run(self) -> None:
        """Run everything, each part through the engine of AiiDA."""
        self.fluorite()
        self.oxide()
        self.argon()
        self.failure()
        self.extended()

    def engine(self, potential: dict[str, Any]) -> dict[str, Any]:
        """Return LAMMPS with a potential as an engine of a comparison."""
        return {
            "entry_point": "ion.md.lammps",
            "code": self.lammps,
            "potential": potential,
            "options": OPTIONS,
        }

    def compare(self, structures: Any, engines: Any, overrides: dict[str, Any], reference: str) -> None:
        """Run one comparison to its end."""
        from aiida.engine import run_get_node

        from aiida_ion.workchains.comparison.workchain import ComparisonWorkChain

        builder = ComparisonWorkChain.get_builder_from_protocol(
            structures,
            engines,
            protocol="fast",
            overrides=overrides,
            diffusion_code=self.diffusion,
            reference=reference,
            max_force_frames=20,
        )
        node = run_get_node(builder)[1]
        assert node.is_finished_ok, node.exit_message

    def conductivity(self, structure: Any, potential: str, overrides: dict[str, Any], exit_status: int = 0) -> None:
        """Run one conductivity to the end that is expected of it."""
        from aiida.engine import run_get_node

        from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain

        builder = ConductivityWorkChain.get_builder_from_protocol(
            structure,
            "ion.md.lammps",
            protocol="fast",
            overrides=overrides | {"relax_ions": False},
            code=self.lammps,
            potential={"name": potential},
            diffusion_code=self.diffusion,
            options=OPTIONS,
        )
        node = run_get_node(builder)[1]
        assert node.exit_status == exit_status, node.exit_message

    def fluorite(self) -> None:
        """Calcium fluoride, superionic, at two levels of theory."""
        softer = {"commands": SOFTER, "charges": {"Ca": 2.0, "F": -1.0}, "level_of_theory": "classical/softened"}
        overrides = {
            "temperatures_K": [1700, 1900, 2100],
            "target_temperature_K": 1500.0,
            "supercell": [2, 2, 2],
            "relax_ions": False,
            "md": {"total_time_ps": 8.0, "equilibration_fs": 1000.0, "timestep_fs": 2.0, "sample_every": 25},
        }
        engines = {"gillan": self.engine({"name": "gillan-caf2-1986"}), "softened": self.engine(softer)}
        self.compare({"CaF2": fluorite(5.72)}, engines, overrides, "gillan")

    def oxide(self) -> None:
        """Lithium oxide far below its transition: nothing moves."""
        md = {"n_steps": 3000, "equilibration_fs": 2000.0, "timestep_fs": 2.0, "sample_every": 10}
        settings = {"temperatures_K": [300, 400], "supercell": [1, 1, 1], "md": md}
        self.conductivity(antifluorite(4.66), "pedone-2006", settings)

    def argon(self) -> None:
        """Argon in LAMMPS and in ASE, whose potential is a little too deep: forces side by side."""
        from aiida import orm
        from ase.build import bulk

        atoms = bulk("Ar", "fcc", a=5.6, cubic=True).repeat(2)
        atoms.rattle(0.02, seed=3)
        deep = {"name": "lj", "kwargs": {"sigma": 3.405, "epsilon": 0.012, "rc": 8.5125}}
        ase = {"entry_point": "ion.md.mlip", "code": self.ase, "potential": deep, "options": OPTIONS}
        overrides = {
            "temperatures_K": [150],
            "mobile_species": "Ar",
            "charges": {"Ar": 0.0},
            "supercell": [1, 1, 1],
            "relax_ions": False,
            "md": {"n_steps": 200, "equilibration_fs": 100.0, "sample_every": 4, "keep": ["forces"]},
        }
        engines = {"lammps": self.engine({"name": "lennard-jones-argon"}), "ase": ase}
        self.compare({"argon": orm.StructureData(ase=atoms)}, engines, overrides, "lammps")

    def failure(self) -> None:
        """Calcium fluoride torn apart: no temperature has a trajectory that can be used."""
        md = {"n_steps": 200, "equilibration_fs": 0.0, "sample_every": 2, "max_force_eV_A": 5.0}
        settings = {"temperatures_K": [10_000], "supercell": [1, 1, 1], "md": md}
        self.conductivity(fluorite(5.72), "gillan-caf2-1986", settings, exit_status=502)

    def extended(self) -> None:
        """Two seeds that run until the diffusivity is known to 30 %; at the highest temperature the crystal melts."""
        settings = {
            "temperatures_K": [1800, 3200],
            "seeds": [1, 2],
            "supercell": [2, 2, 2],
            "target_relative_error": 0.3,
            "first_time_ps": 2.0,
            "max_time_ps": 4.0,
            "md": {"equilibration_fs": 500.0, "timestep_fs": 2.0, "sample_every": 10},
        }
        self.conductivity(fluorite(5.72), "gillan-caf2-1986", settings)


def fluorite(edge_A: float) -> Any:
    """Return calcium fluoride, Fm-3m."""
    return _cubic(["Ca", "F"], edge_A)


def antifluorite(edge_A: float) -> Any:
    """Return lithium oxide, Fm-3m."""
    return _cubic(["O", "Li"], edge_A)


def _cubic(symbols: list[str], edge_A: float) -> Any:
    from aiida import orm
    from ase.spacegroup import crystal

    sites = [(0, 0, 0), (0.25, 0.25, 0.25)]
    return orm.StructureData(ase=crystal(symbols, sites, spacegroup=225, cellpar=[edge_A] * 3 + [90] * 3))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
