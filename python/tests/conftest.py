"""What the tests share."""

import shutil
from pathlib import Path

import pytest

from tgsession_store import Store

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures"


@pytest.fixture
def path(tmp_path):
    """Where a store is made."""
    return tmp_path / "accounts.tgsession"


@pytest.fixture
def store(path):
    with Store.open(path) as store:
        yield store


@pytest.fixture
def fixture(tmp_path):
    """Copies a file of the repository's fixtures, so that no test can change it."""

    def copy(name):
        return Path(shutil.copy(FIXTURES / name, tmp_path))

    return copy
