"""Bands of VASP, through the job ``vasp.neb`` of aiida-vasp; climbing images need VASP with the VTST tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.migration.images import image_of
from aiida_ion.workchains.md.bands import Bands, BandSettings

#: Tags that VASP has only with the VTST tools.
VTST_TAGS = ("iopt", "lclimb", "ichain")


class VaspBands(Bands):
    """Climbing-image bands of VASP with VTST."""

    @classmethod
    def process(cls) -> Any:
        """Return the job."""
        try:
            return CalculationFactory("vasp.neb")
        except exceptions.EntryPointError as error:
            raise ValueError("bands need aiida-vasp: pip install 'aiida-ion[vasp]'") from error

    @classmethod
    def inputs(
        cls,
        engine: Mapping[str, Any],
        code: orm.AbstractCode,
        images: orm.TrajectoryData,
        settings: BandSettings,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the inputs of the job; tags are those of the VTST tools, with their quick-min optimiser."""
        n_images = int(images.get_shape("positions")[0])
        tags = {
            **engine["incar"].get_dict(),
            "images": n_images - 2,
            "spring": -settings.spring_eV_A2,
            "lclimb": True,
            "ichain": 0,
            "ibrion": 3,
            "potim": 0.0,
            "iopt": 3,
            "ediffg": -settings.max_force_eV_A,
            "nsw": settings.max_steps,
            "isif": 2,
        }
        structures = [image_of(images, image) for image in range(n_images)]
        middle = {f"image_{number:02d}": structures[number] for number in range(1, n_images - 1)}
        return {
            "code": code,
            "parameters": orm.Dict(tags),
            "initial_structure": structures[0],
            "final_structure": structures[-1],
            "neb_images": middle,
            "potential": dict(engine["potential"]),
            "kpoints": engine["kpoints"],
            "settings": orm.Dict({"unsupported_parameters": dict.fromkeys(VTST_TAGS, "tag of VTST")}),
            "metadata": {"options": dict(options)},
        }

    @classmethod
    def outputs(cls, node: Any) -> dict[str, Any]:
        """Return the energies of the moving images."""
        return {"misc": node.outputs.misc} if "misc" in node.outputs else {}
