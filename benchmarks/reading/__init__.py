"""Readers of the dashboard, as a browser is one."""
