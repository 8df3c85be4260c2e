"""A browser, and every page that it is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxcheck.commands.compare.compare import Asked, compare
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_comparison_renderers, load_renderers
from tests.reports.chromium import CHROMIUM, DRIVER, FLAGS
from tests.reports.incident import advised
from tests.reports.sample import COMPARED, PROJECTED, REPORTS


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Begun anew for each module: one that nobody looks at goes on working."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of every page: reports, comparisons of two of them, projections."""
    folder = tmp_path_factory.mktemp("pages")
    renderers, made = load_renderers(), {name: make() for name, make in REPORTS.items()}
    made["advised"] = advised("taxcheck fix --out fixed/")
    for name, report in made.items():
        (folder / f"{name}.html").write_text(renderers["html"](report, RenderOptions()))
    for name in PROJECTED:
        page = renderers["projection"](made[name], RenderOptions())
        (folder / f"projection of {name}.html").write_text(page)
    for name, pair in COMPARED.items():
        for side in pair:
            text = renderers["json"](made[side], RenderOptions())
            (folder / f"{side}.json").write_text(text)
        before, after = (str(folder / f"{side}.json") for side in pair)
        found = compare(Asked(before, after, command="taxcheck compare a.json b.json"))
        page = load_comparison_renderers()["html"](found, RenderOptions())
        (folder / f"{name}.html").write_text(page)
    return {path.stem: path.as_uri() for path in folder.glob("*.html")}
