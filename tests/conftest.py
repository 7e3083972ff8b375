"""Fixtures shared by all tests: a validator of made-up files, third-party files, and the Hypothesis profiles."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from data_folder import DataFolder
from file_validator import Validator
from hypothesis import HealthCheck, settings
from shared_file import OnceValidator, SharedFiles

from flows.steps import build

REAL = Path(__file__).parents[2] / "shared" / "real"

# The everyday profile takes the same examples on every machine, so that a red test stays red until it is fixed.
# `make soak` takes the other one, which looks for new examples; `soak.py` also lengthens other tests with it.
settings.register_profile(
    "soak",
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("pilots", settings.get_profile("soak"), derandomize=True, max_examples=4)
settings.load_profile("pilots")


# Parallel runs take whole files in the order of collection: the longest are started first, so that none is left alone
# at the end.
LONGEST_FIRST = ("test_prefect.py", "test_simulated_truth.py", "tests/flow/", "tests/pages/", "tests/marts/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by `LONGEST_FIRST`, and leave them in their order otherwise."""

    def place(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((n for n, part in enumerate(LONGEST_FIRST) if part in path), len(LONGEST_FIRST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Exempt what the collection has made from garbage collection: it stays until the end, and there is much of it."""
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say in the last line of a run that no real files were read, because skipped tests are easily overlooked."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")  # xdist workers have none
    if terminal and not REAL.is_dir():
        terminal.write_line(f"No real file was read: the folder {REAL} is not there.", red=True, bold=True)


@pytest.fixture
def validate(tmp_path: Path) -> Validator:
    """Validate a made-up file: see file_validator.py."""
    return Validator(tmp_path)


@pytest.fixture(scope="module")
def validate_once(tmp_path_factory: pytest.TempPathFactory) -> OnceValidator:
    """Validate a file once for all tests of a module: see shared_file.py."""
    return OnceValidator(Validator(tmp_path_factory.mktemp("once")))


@pytest.fixture(scope="module")
def in_shared_file(tmp_path_factory: pytest.TempPathFactory) -> SharedFiles:
    """Validate all cases of a test in one file: see shared_file.py."""
    return SharedFiles(Validator(tmp_path_factory.mktemp("shared")))


@pytest.fixture(scope="session")
def empty_load_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The load cache of a data folder to which nothing was sent: every table of `core` and `audit`, without rows."""
    folder = DataFolder(tmp_path_factory.mktemp("empty") / "data")
    folder.paths.raw.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "marts", tuple)
        folder.run()
    return folder.paths.load_cache


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of third-party files; the test is skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"the real files are not there: put the folder shared/real beside the project ({REAL})")
    return REAL


@pytest.fixture(scope="session")
def money_folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder after a run over made-up files of two sites about money, and the programme office's own."""
    folder = DataFolder(tmp_path_factory.mktemp("money") / "data")
    folder.paths.raw.mkdir(parents=True)
    folder.send_office_files("funding_awards", "match_funding", "published_measures")
    shutil.copytree(Path(__file__).parent / "golden" / "funding" / "raw", folder.paths.raw, dirs_exist_ok=True)
    folder.run(as_of="2018-10-20T03:30")
    return folder


@pytest.fixture(scope="session")
def money_pages(money_folder: DataFolder) -> Path:
    """The pages on money that the run has written."""
    return money_folder.paths.reports / "funding"
