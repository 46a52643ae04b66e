"""Every simulated service is silent here, and the next test's are not."""

from collections.abc import Iterator

import pytest
import structlog

from services.command.simulation.campaign import Simulator, quiet


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()
