"""Nodes and tables as text."""
