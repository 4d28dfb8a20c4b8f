"""Trajectory files of other programs as arrays, with what each file states about its run. Nothing is unpickled."""
