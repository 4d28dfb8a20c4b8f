"""Programs that are copied to the compute machine and run by the engine's own Python.

What they import of this package goes along, see :mod:`aiida_ion.calculations.programs`; it knows no AiiDA.
"""
