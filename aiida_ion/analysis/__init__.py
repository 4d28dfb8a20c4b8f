"""Analysis with numpy, scipy and kinisi: arrays in, small dataclasses out. Independent of AiiDA."""
