"""A headless browser for the page tests: the machine's own Chromium, never downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_reports import SAMPLES

from flows.reporting.render import render_html

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless browser; the tests are skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[test]'")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no browser: sudo apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def page(browser) -> Iterator[object]:
    """A new browser page for each test."""
    opened = browser.new_page(viewport={"width": 1100, "height": 800})
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of report page, written to a file as sites open it."""
    folder = tmp_path_factory.mktemp("pages")
    for kind, sample in SAMPLES.items():
        (folder / f"{kind}.html").write_text(render_html(sample.report), encoding="utf-8")
    return {kind: folder / f"{kind}.html" for kind in SAMPLES}
