"""Tests of figures of cells in three dimensions."""
