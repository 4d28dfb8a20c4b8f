"""Programs that screen many materials in one job."""
