"""Ionic steps from the elements of ``vasprun.xml`` as each of them ends.

An ab initio step is a ``<calculation>``, with an ``<scstep>`` for each electronic iteration. A step of a
machine-learned force field has none, and is written outside the calculations as ``<structure>``, ``<varray
name="forces">`` and ``<energy>``.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Element = ElementTree.Element

#: Energies of an ionic step that are kept; the forces are the gradient of the free energy.
ENERGIES = {"e_fr_energy": "free_energy_eV", "kinetic": "kinetic_energy_eV", "total": "total_energy_eV"}


class StepReader:
    """Builds steps from the elements of a document, in the order in which they end."""

    def __init__(self) -> None:
        self._steps: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._scf: list[float] = []

    def take(self, element: Element) -> bool:
        """Process an element that ended; return whether it was part of a step."""
        if element.tag == "structure" and element.get("name") is None:
            self._close_learned()
            self._open = {
                "cells": vectors(element.find("crystal/varray[@name='basis']")),
                "positions": vectors(element.find("varray[@name='positions']")),
            }
        elif element.tag == "varray" and element.get("name") == "forces":
            if self._open is not None:
                self._open.setdefault("forces", vectors(element))
        elif element.tag == "varray" and element.get("name") == "stress":
            if self._open is not None:
                self._open.setdefault("stresses", vectors(element))
        elif element.tag == "energy":
            self._take_energy(element)
            return True  # an scstep still needs it
        elif element.tag == "scstep":
            self._close_learned()
            energy = element.find("energy")
            named = {} if energy is None else items(energy)
            self._scf.append(numbers(named.get("e_fr_energy", "nan"))[0])
        elif element.tag == "time" and element.get("name") == "totalsc":
            if self._open is not None:
                self._open["seconds"] = np.resize(numbers(element.text or "nan"), 2)
        elif element.tag == "calculation":
            self._close_calculation()
        else:
            return False
        element.clear()
        return True

    def _take_energy(self, element: Element) -> None:
        """Read the energy of the open step; that of an electronic iteration has no kinetic part."""
        if self._open is None or "free_energy_eV" in self._open:
            return
        named = items(element)
        if "kinetic" in named or self._scf:
            self._open |= {name: numbers(named.get(key, "nan"))[0] for key, name in ENERGIES.items()}

    def _close_calculation(self) -> None:
        """End an ab initio step; VASP also writes blocks without forces, which are not steps."""
        if self._open is not None and len(self._open.get("forces", ())):
            self._add(self._open, in_calculation=True)
        self._open, self._scf = None, []

    def _close_learned(self) -> None:
        """End a machine-learned step: the elements outside a calculation, before the next step begins."""
        if self._open is not None and not self._scf:
            self._add(self._open, in_calculation=False)
            self._open = None

    def _add(self, step: dict[str, Any], *, in_calculation: bool) -> None:
        nothing = np.full_like(step["positions"], np.nan)
        last = self._scf[-2:]
        self._steps.append(
            {
                "forces": nothing,
                "stresses": np.full((3, 3), np.nan),
                "seconds": np.full(2, np.nan),
                **dict.fromkeys(ENERGIES.values(), np.nan),
                **step,
                "ab_initio": in_calculation,
                "scf_iterations": len(self._scf),
                "last_change_eV": abs(last[1] - last[0]) if len(last) == 2 else np.nan,
            }
        )

    def finish(self, ended: bool) -> list[dict[str, Any]]:
        """Return all steps; the last machine-learned one only if its document ended or it is complete."""
        whole = self._open is not None and {"forces", "free_energy_eV"} <= set(self._open)
        if ended or whole:
            self._close_learned()
        return self._steps


def items(element: Element) -> dict[str, str]:
    """Return the named values below an element, as text."""
    return {str(item.get("name")): (item.text or "").strip() for item in element.iter() if item.tag in ("i", "v")}


def vectors(varray: Element | None) -> FloatArray:
    """Return rows of three numbers; no rows if any has another length."""
    if varray is None:
        return np.zeros((0, 3))
    rows = [(row.text or "").split() for row in varray.findall("v")]
    if any(len(row) != 3 for row in rows):
        return np.zeros((0, 3))
    return numbers(" ".join(word for row in rows for word in row)).reshape(-1, 3)


def numbers(text: str) -> FloatArray:
    """Return the numbers in a text; NaN for anything else, such as the asterisks of a field that was too narrow."""
    words = text.split() or ["nan"]
    try:
        return np.array(words, dtype=float)
    except ValueError:
        return np.array([_number(word) for word in words])


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
