"""Inputs and outputs of Quantum ESPRESSO's pw.x, and its pseudopotentials."""
