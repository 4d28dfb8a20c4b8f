"""The work chain of cells with defects."""
