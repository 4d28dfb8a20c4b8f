"""Bands by DFT -> the barriers of hops."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import calcfunction


@calcfunction
def read_band(about: orm.Dict, **outputs: Any) -> orm.Dict:
    """Return the barrier of a band that another program relaxed.

    :param about: ``label`` of the hop and ``level_of_theory``.
    :param outputs: of neb.x ``mep``, whose array has coordinate and energy (eV) from the first image; or of VASP
        ``misc``, with the energies of the moving images, and ``start`` and ``end``, single points of the ends.
    :returns: ``energies_eV`` of all images, from the first; ``forward_eV``, ``reverse_eV`` and ``climbing``.
    :raises ValueError: for outputs without these energies.
    """
    if "mep" in outputs:
        profile = outputs["mep"].get_array("mep")
        if profile.ndim != 2 or profile.shape[1] < 2:
            raise ValueError("the band left no energies along its path")
        energies = [float(energy) for energy in profile[:, 1]]
    else:
        energies = _of_vasp(outputs)
    saddle = max(energies)
    return orm.Dict(
        {
            **about.get_dict(),
            "energies_eV": [energy - energies[0] for energy in energies],
            "climbing": energies.index(saddle),
            "forward_eV": saddle - energies[0],
            "reverse_eV": saddle - energies[-1],
        }
    )


def _of_vasp(outputs: dict[str, Any]) -> list[float]:
    data = outputs["misc"].get_dict().get("neb_data") or {}
    moving = [entry.get("energy_free") for _, entry in sorted(data.items())]
    if not moving or any(energy is None for energy in moving):
        raise ValueError("the band left no energies of its images")
    ends = [float(outputs[name].base.attributes.get("energy_eV")) for name in ("start", "end")]
    return [ends[0], *map(float, moving), ends[1]]
