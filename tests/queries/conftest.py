"""What the tables say is the same on both databases: every test of synthetic nodes runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from aiida.manage.configuration.profile import Profile


@pytest.fixture
def aiida_profile_clean(profile: Profile) -> Profile:
    """Return an empty profile on each database in turn."""
    return profile
