"""The wheel, installed where there is no repository: it packs all it needs, and its commands run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from commands import clean_environment
from data_folder import PROJECT, DataFolder, valid_row, valid_rows

pytestmark = pytest.mark.soak

PACKAGES = ("flows", "schemas")


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel installed, and a working folder outside the repository."""

    wheel: Path
    scripts: Path
    work: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        variables = clean_environment()
        del variables["PYTHONPATH"]
        program = str(self.scripts / command[0])
        return subprocess.run(
            [program, *command[1:]], cwd=self.work, env=variables, capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel from a copy of the project, and install it offline, with the libraries of this environment."""
    home = tmp_path_factory.mktemp("wheel")
    source = home / "source"
    source.mkdir()
    for name in PACKAGES:
        shutil.copytree(PROJECT / name, source / name)  # with bytecode, as in a repository in use
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(home), str(source))
    [wheel] = home.glob("*.whl")

    builder = venv.EnvBuilder(with_pip=False, symlinks=True)
    builder.create(home / "venv")
    place = builder.ensure_directories(home / "venv")
    # .pth files are not followed recursively, so the libraries are found and the editable repository is not.
    packages = Path(sysconfig.get_path("purelib", vars={"base": place.env_dir, "platbase": place.env_dir}))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip("--python", place.env_exe, "install", "--ignore-installed", str(wheel))
    (home / "work").mkdir()
    return Installed(wheel, Path(place.bin_path), home / "work")


def pip(*arguments: str) -> None:
    offline = ("--no-index", "--no-deps") if "install" in arguments or "wheel" in arguments else ()
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, *offline],
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_packs_every_file_of_the_packages_and_nothing_else(installed: Installed) -> None:
    here = {
        path.relative_to(PROJECT).as_posix()
        for name in PACKAGES
        for path in (PROJECT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(installed.wheel) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == here


def test_the_installed_command_runs_from_the_wheel(installed: Installed) -> None:
    helped = installed.run("pilots", "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "check" in helped.stdout and "template" in helped.stdout
    found = installed.run("python", "-c", "import flows, schemas; print(flows.__file__, schemas.__file__)")
    assert found.stdout.count(str(installed.scripts.parent)) == 2


@pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "csv"), ("participants", "xlsx")])
def test_the_installed_command_checks_good_and_bad_files(
    installed: Installed, tmp_path: Path, dataset: str, suffix: str
) -> None:
    good = DataFolder(tmp_path / "good").send(dataset, valid_rows(dataset, 1, 2), suffix=suffix)
    checked = installed.run("pilots", "check", str(good), "--date", "2016-12-02")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout

    wrong = {"contacts": {"attended": "9"}, "participants": {"gender": "77"}}[dataset]
    bad = DataFolder(tmp_path / "bad").send(
        dataset, [valid_row(dataset, 1), valid_row(dataset, 2, **wrong)], suffix=suffix
    )
    checked = installed.run("pilots", "check", str(bad), "--date", "2016-12-02", "--to", "reports")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "V02" in checked.stdout
    written = {p.name.removeprefix(bad.stem) for p in (installed.work / "reports").rglob(f"{bad.stem}*")}
    assert {".html", "_to_fix.xlsx"} <= written


def test_the_installed_command_writes_a_blank_workbook(installed: Installed) -> None:
    made = installed.run("pilots", "template", "return", "--site", "MHT-BPL", "--period", "201611")
    assert (made.returncode, made.stderr) == (0, "")
    book = openpyxl.load_workbook(installed.work / "MHT-BPL_return_201611_v1.xlsx")
    assert {"contacts", "referrals"} <= set(book.sheetnames)
