"""Checks of a trajectory, each with a number, a limit and a verdict, and their effect on the grade of a result."""
