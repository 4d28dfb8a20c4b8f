"""Trajectory files of other programs -> arrays, and what each file says of its run. Nothing is unpickled."""
