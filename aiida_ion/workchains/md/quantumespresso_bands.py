"""Bands of pw.x by neb.x, through ``quantumespresso.neb.base`` of aiida-quantumespresso."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.plugins import WorkflowFactory

from aiida_ion.dft.pw.input import normal_namelists
from aiida_ion.workchains.md.bands import Bands, BandSettings

#: Namelists of pw.x that neb.x sets itself.
NOT_OF_BANDS = ("IONS", "CELL")


class PwBands(Bands):
    """Climbing-image bands of neb.x."""

    @classmethod
    def process(cls) -> Any:
        """Return the work chain that restarts neb.x."""
        try:
            return WorkflowFactory("quantumespresso.neb.base")
        except exceptions.EntryPointError as error:
            raise ValueError("bands need aiida-quantumespresso: pip install 'aiida-ion[quantumespresso]'") from error

    @classmethod
    def inputs(
        cls,
        engine: Mapping[str, Any],
        code: orm.AbstractCode,
        images: orm.TrajectoryData,
        settings: BandSettings,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the inputs of the work chain."""
        namelists = {
            name: dict(values)
            for name, values in normal_namelists(engine["namelists"].get_dict()).items()
            if name not in NOT_OF_BANDS
        }
        n_images, n_atoms, _ = images.get_shape("positions")
        electrons = namelists.setdefault("ELECTRONS", {})
        per_atom = electrons.pop("conv_thr_per_atom", None)
        if per_atom is not None:
            electrons.setdefault("conv_thr", float(per_atom) * int(n_atoms))
        path = {
            "nstep_path": settings.max_steps,
            "num_of_images": int(n_images),
            "opt_scheme": "broyden",
            "ci_scheme": "auto",
            "path_thr": settings.max_force_eV_A,
        }
        return {
            "neb": {
                "code": code,
                "images": images,
                "parameters": orm.Dict({"PATH": path}),
                "pw": {"pseudos": dict(engine["pseudos"]), "parameters": orm.Dict(namelists)},
                "metadata": {"options": dict(options)},
            },
            "kpoints": engine["kpoints"],
        }

    @classmethod
    def outputs(cls, node: Any) -> dict[str, Any]:
        """Return the energies along the path."""
        return {"mep": node.outputs.output_mep} if "output_mep" in node.outputs else {}
