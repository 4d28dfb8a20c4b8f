"""Figures as pure functions: tables and arrays in, a plotly figure out."""
