"""What several test files share, and how many examples Hypothesis tries of each property.

`pytest --hypothesis-profile=thorough` tries many more.
"""

from pathlib import Path

import pytest
from hypothesis import settings

from workshop import Workshop

# No deadlines: what else the machine does, and what is imported first, make an example slow.
settings.register_profile("everyday", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile("everyday")


@pytest.fixture(scope="session")
def finished_smoke(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop in which the smoke experiment has run; tests that change anything take a copy."""
    workshop = Workshop.new(tmp_path_factory.mktemp("smoke") / "a folder with spaces")
    done = workshop.snakemake()
    assert done.returncode == 0, done.stdout
    return workshop


@pytest.fixture
def workshop(finished_smoke: Workshop, tmp_path: Path) -> Workshop:
    """A copy of the finished smoke experiment, free to be changed."""
    return finished_smoke.copy(tmp_path / "work shop")
