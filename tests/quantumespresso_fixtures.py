"""Quantum ESPRESSO for the tests: a code, pseudopotentials, the engine's inputs."""
