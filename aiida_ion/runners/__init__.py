"""Programs that are copied to the compute machine and run by the engine's own Python.

They import nothing of this package but the files that are uploaded with them.
"""
