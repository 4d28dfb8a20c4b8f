"""Jobs and calculation functions of point defects."""
