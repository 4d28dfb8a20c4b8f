"""Inputs and outputs of VASP."""
