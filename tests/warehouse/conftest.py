"""A data directory that tests publish into."""

from pathlib import Path

import pytest

from tests.warehouse.snapshots import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
