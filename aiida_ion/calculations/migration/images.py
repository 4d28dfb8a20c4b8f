"""The images of a hop as nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction
from ase.data import chemical_symbols

#: What the node of a hop's images says besides its positions.
ABOUT = ("verdict", "path", "climbing", "moving")


def images_node(record: Mapping[str, Any]) -> orm.TrajectoryData:
    """Return the images of a hop as an unstored trajectory: one step for each image, the ends first and last.

    :param record: of a hop, as the program wrote it.
    """
    positions = np.array(record["images"], dtype=float)
    symbols = [chemical_symbols[number] for number in record["numbers"]]
    node = orm.TrajectoryData()
    node.set_array("steps", np.arange(len(positions)))
    node.set_array("positions", positions)
    node.set_array("cells", np.broadcast_to(np.array(record["cell"], dtype=float), (len(positions), 3, 3)).copy())
    if record.get("energies_eV") is not None:
        node.set_array("energies", np.array(record["energies_eV"], dtype=float))
    units = {"positions": "angstrom, unwrapped", "cells": "angstrom", "energies": "eV"}
    about = {name: record.get(name) for name in ABOUT}
    node.base.attributes.set_many({"symbols": symbols, "pbc": [True, True, True], "units": units, **about})
    node.label = f"images of {record['label']}"
    return node


@calcfunction
def hop_image(images: orm.TrajectoryData, parameters: orm.Dict) -> orm.StructureData:
    """Return one image of a hop as a structure.

    :param images: of a hop.
    :param parameters: ``image``, counted from zero.
    """
    return image_of(images, int(parameters["image"]))


def image_of(images: orm.TrajectoryData, image: int) -> orm.StructureData:
    """Return one image of a hop as an unstored structure, with its ions within the cell."""
    from ase import Atoms

    atoms = Atoms(
        images.base.attributes.get("symbols"),
        positions=images.get_array("positions")[image],
        cell=images.get_array("cells")[image],
        pbc=True,
    )
    atoms.wrap()
    return orm.StructureData(ase=atoms)


def band_images(images: orm.TrajectoryData, n_images: int) -> orm.TrajectoryData:
    """Return a band of some images for another program, as an unstored trajectory, evenly along the stored one.

    The second end of a symmetric hop is not among its images, so that such a hop has no band.

    :param images: of a hop computed by a band.
    :param n_images: how many the new band has, with its ends.
    :raises ValueError: for images of a mid-point.
    """
    if images.base.attributes.get("path") != "band":
        raise ValueError("a mid-point is not a band; compute the hop with path = 'band'")
    positions = images.get_array("positions")
    steps = np.linalg.norm((positions[1:] - positions[:-1]).reshape(len(positions) - 1, -1), axis=1)
    lengths = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, lengths[-1], n_images)
    flat = positions.reshape(len(positions), -1)
    placed = np.array([np.interp(wanted, lengths, column) for column in flat.T]).T.reshape(n_images, -1, 3)
    node = orm.TrajectoryData()
    node.set_array("steps", np.arange(n_images))
    node.set_array("positions", placed)
    node.set_array("cells", np.broadcast_to(images.get_array("cells")[0], (n_images, 3, 3)).copy())
    node.base.attributes.set_many({"symbols": images.base.attributes.get("symbols"), "pbc": [True, True, True]})
    return node


@calcfunction
def make_band(images: orm.TrajectoryData, parameters: orm.Dict) -> orm.TrajectoryData:
    """Return a band for another program: images evenly along the one of a hop.

    :param images: of a hop computed by a band.
    :param parameters: ``n_images``, with the ends.
    """
    return band_images(images, int(parameters["n_images"]))
