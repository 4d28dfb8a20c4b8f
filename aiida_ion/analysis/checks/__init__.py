"""Checks of a trajectory, each with a number, a limit and a verdict, and what they do to the grade of a result."""
