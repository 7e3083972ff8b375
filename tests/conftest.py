"""Fixtures of all tests: a validator with a folder of its own, third-party files, and how many examples are tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from judging import Judge

REAL = Path(__file__).parents[2] / "shared" / "real"

# Every day the same examples on every machine: a red test stays red until it is fixed. `make soak` takes the other
# profile, which goes looking for new ones; `length.py` lengthens with it what is no matter of examples.
settings.register_profile(
    "soak",
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("pilots", settings.get_profile("soak"), derandomize=True, max_examples=20)
settings.load_profile("pilots")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say in the last line of a run that it had no real files to read: a row of skipped tests is soon overlooked."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")  # a worker process has none
    if terminal and not REAL.is_dir():
        terminal.write_line(f"No real file was read: the folder {REAL} is not there.", red=True, bold=True)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Validates a made-up file: see judging.py."""
    return Judge(tmp_path)


@pytest.fixture
def real() -> Path:
    """The folder of real files that nobody here made; the test is skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"the real files are not there: put the folder shared/real beside the project ({REAL})")
    return REAL
