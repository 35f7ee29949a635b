"""In a real browser, the report opens from disk, shows the verdict, and does nothing else."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.results.report.cells import allure_link
from fixtures.results.report.headline import name_verdict
from fixtures.results.report.model import ReportRun
from suites.selfcheck.by_day import mark_nightly
from suites.selfcheck.results.sample_reports import (
    PICTURE,
    SCRIPT,
    build_rollout_answer,
    count_states,
    empty_run,
    hostile_run,
    no_go_run,
    noticed_run,
    run_report,
    waived_run,
    with_plan,
    write_record,
)

pytestmark = pytest.mark.process

KINDS = ("go", "no-go", "undecided", "hostile", "waived")
PAGES = ("index.html", "cases.html", "a finding", "a notice", "a waived finding")
WITHOUT = {
    "go": ("a finding", "a waived finding"),
    "no-go": ("a notice", "a waived finding"),
    "undecided": ("a finding", "a notice", "a waived finding"),
    "waived": ("a finding", "a notice"),
}
RUNS = {"go": noticed_run, "no-go": no_go_run, "hostile": hostile_run, "waived": waived_run}
PAGES_OF = {kind: [name for name in PAGES if name not in WITHOUT.get(kind, ())] for kind in KINDS}
SCREENSHOTS = ROOT / "build" / "screenshots"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOCAL_SCHEMES = ("file:", "data:", "blob:", "about:")
LOOKS = {"desktop": ("desktop", False), "dark": ("desktop", True), "phone": ("phone", False)}
# By day, three kinds on a desktop, and one in the other looks. Every night takes them all.
BY_DAY = {"go": ["desktop"], "hostile": ["desktop"], "waived": ["desktop"], "no-go": ["dark", "phone"]}
VISITS = [
    pytest.param(kind, look, marks=() if look in BY_DAY.get(kind, ()) else pytest.mark.nightly)
    for kind in KINDS
    for look in LOOKS
]


@dataclass
class OpenedPage:
    """A page, with the errors and the requests that it must not have."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, file: Path, fragment: str = "") -> None:
        """Open a file from disk, even if it is open already."""
        self.page.goto("about:blank")
        self.page.goto(file.as_uri() + fragment)

    def take_screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    @property
    def ran_script(self) -> bool:
        """Whether the script that is hidden in the data has run."""
        return bool(self.page.evaluate("'ran' in window"))


@contextlib.contextmanager
def open_page(running: Browser, *, size: str = "desktop", dark: bool = False) -> Iterator[OpenedPage]:
    width, height = SIZES[size]
    context = running.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", offline=True
    )
    browser_page = OpenedPage(context.new_page())
    browser_page.page.on(
        "console",
        lambda message: browser_page.errors.append(message.text) if message.type == "error" else None,
    )
    browser_page.page.on("pageerror", lambda error: browser_page.errors.append(str(error)))
    browser_page.page.on(
        "request",
        lambda request: (
            None if request.url.startswith(LOCAL_SCHEMES) else browser_page.requests.append(request.url)
        ),
    )
    yield browser_page
    context.close()


@dataclass(frozen=True)
class Report:
    """A report on disk, and its run."""

    folder: Path
    run: ReportRun

    def page(self, name: str) -> Path:
        if name == "a finding":
            name = f"findings/{self.run.kinds[0].slug}.html"
        elif name == "a notice":
            name = f"notices/{self.run.notices[0].slug}.html"
        elif name == "a waived finding":
            name = f"waived/{self.run.waived[0].slug}.html"
        return self.folder / name


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    reports_by_name = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        if kind == "undecided":
            (folder / "ledger.jsonl").write_text("", encoding="utf-8")
            run = empty_run("unreachable-target: subscribers-errors does not answer")
        else:
            run = RUNS[kind](folder)
        if kind in ("no-go", "hostile"):
            run = with_plan(run, build_rollout_answer(f"it hurts {SCRIPT}"))
            build_folder.adopt(folder / "build")
            (folder / "build" / "rollout").mkdir(parents=True)
            (folder / "build" / "rollout" / "timeline.svg").write_text(PICTURE, encoding="utf-8")
        ledger = write_record(run, folder / "ledger.jsonl", folder / "build")
        done = run_report([ledger], folder / "build")
        assert done.returncode in (0, 1, 2), done.stderr
        assert "no Allure report" not in done.stdout, done.stdout
        reports_by_name[kind] = Report(folder / "build" / "report", run)
    return reports_by_name


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no-chromium: next: apt-get install chromium, or set CHROMIUM to a Chrome of yours"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


@pytest.mark.parametrize(("kind", "look"), VISITS)
def test_each_page_opens_from_disk_is_accessible_and_does_nothing_else(
    chrome: Browser, reports: dict[str, Report], kind: str, look: str
) -> None:
    size, dark = LOOKS[look]
    for name in PAGES_OF[kind]:
        with open_page(chrome, size=size, dark=dark) as opened_page:
            opened_page.go(reports[kind].page(name))
            opened_page.take_screenshot(f"{kind}-{name.removesuffix('.html').replace(' ', '-')}-{look}")
            assert (opened_page.errors, opened_page.requests, opened_page.ran_script) == ([], [], False), name
            wide, window = opened_page.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= window, f"{name} must not scroll sideways"
            if look != "phone":
                assert find_violations(opened_page.page) == [], name


def find_violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds in a page: the rule and the first element."""
    violations = Axe().run(page).response["violations"]
    return [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in violations]


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_page_says_what_the_verdict_says(
    chrome: Browser, reports: dict[str, Report], kind: str
) -> None:
    run = reports[kind].run
    with open_page(chrome) as opened_page:
        opened_page.go(reports[kind].page("index.html"))
        expect(opened_page.page.locator("h1 .verdict")).to_have_text(name_verdict([run]))
        for state in ("passed", "failed", "waived", "undecided", "not-judged"):
            expect(opened_page.page.locator(f".codes:not(.promises) td.cell.{state}")).to_have_count(
                count_states(run)[state]
            )


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_to_a_file_and_a_place_in_it(
    chrome: Browser, reports: dict[str, Report], kind: str
) -> None:
    with open_page(chrome) as opened_page:
        for name in PAGES_OF[kind]:
            page = reports[kind].page(name)
            opened_page.go(page)
            for href in {link.get_attribute("href") or "" for link in opened_page.page.locator("a").all()}:
                target, _, anchor = href.partition("#")
                file = (page.parent / target).resolve() if target else page
                assert file.exists(), href
                if anchor and "allure" not in target:
                    assert f'id="{anchor}"' in file.read_text(encoding="utf-8"), href


@pytest.mark.parametrize("kind", ["go", "no-go", "undecided", "waived"])
def test_the_first_page_prints_on_two_sheets(chrome: Browser, reports: dict[str, Report], kind: str) -> None:
    with open_page(chrome) as opened_page:
        opened_page.go(reports[kind].page("index.html"))
        printed = opened_page.page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


def test_the_keyboard_reaches_the_content_first(chrome: Browser, reports: dict[str, Report]) -> None:
    with open_page(chrome) as opened_page:
        opened_page.go(reports["no-go"].page("index.html"))
        opened_page.page.keyboard.press("Tab")
        assert opened_page.page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_a_button_copies_the_command(chrome: Browser, reports: dict[str, Report]) -> None:
    with open_page(chrome) as opened_page:
        opened_page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened_page.go(reports["no-go"].page("a finding"))
        button = opened_page.page.get_by_role("button", name="Copy The test's command")
        button.click()
        expect(button).to_have_text("Copied")
        command = reports["no-go"].run.kinds[0].smallest["reproduce"]
        assert opened_page.page.evaluate("navigator.clipboard.readText()") == command


def test_a_red_cell_leads_through_allure_to_the_finding_and_back(
    chrome: Browser, reports: dict[str, Report]
) -> None:
    run = reports["no-go"].run
    with open_page(chrome) as opened_page:
        opened_page.go(reports["no-go"].page("index.html"))
        opened_page.page.locator("td.failed a").first.click()
        expect(opened_page.page.get_by_text("The finding")).to_be_visible(timeout=30_000)
        opened_page.take_screenshot("no-go-allure-result")
        opened_page.page.get_by_text("The finding").click()
        heading = opened_page.page.locator("h1")
        expect(heading).to_have_text(re.compile("leaves the subscriber"))
        assert any(kind.title in heading.inner_text() for kind in run.kinds)
        opened_page.page.get_by_text("The verdict").click()
        expect(opened_page.page.locator("h1 .verdict")).to_have_text("NO GO")
        assert (opened_page.errors, opened_page.requests) == ([], [])


@pytest.mark.parametrize("kind", mark_nightly(KINDS, ["no-go"]))
@pytest.mark.parametrize("name", ["awesome", "dashboard"])
def test_allure_opens_from_disk_and_does_nothing_else(
    chrome: Browser, reports: dict[str, Report], kind: str, name: str
) -> None:
    with open_page(chrome) as opened_page:
        opened_page.go(reports[kind].folder / "allure" / name / "index.html")
        title = "Quality Gates" if name == "awesome" else "This run"
        expect(opened_page.page.get_by_text(title).first).to_be_visible(timeout=30_000)
        opened_page.take_screenshot(f"{kind}-allure-{name}")
        assert (opened_page.errors, opened_page.requests, opened_page.ran_script) == ([], [], False)


@pytest.mark.nightly
def test_a_script_in_every_field_does_not_run_in_allure(chrome: Browser, reports: dict[str, Report]) -> None:
    report = reports["hostile"]
    bad = [result for result in report.run.results if result.status != "passed"]
    rollout_results = [result for result in report.run.results if "rollout" in result.line]
    with open_page(chrome) as opened_page:
        for result in [*bad[:6], *rollout_results]:
            opened_page.go(report.folder / allure_link(result).partition("#")[0], allure_link(result)[-33:])
            expect(opened_page.page.get_by_text("Overview").first).to_be_visible(timeout=30_000)
            _open_everything(opened_page)
            assert (opened_page.errors, opened_page.requests, opened_page.ran_script) == ([], [], False)


def _open_everything(opened_page: OpenedPage) -> None:
    """Open the difference and each attachment of a result."""
    for text in ("Show difference", "What was sent", "What came back", "See it again", "timeline"):
        for violations in opened_page.page.get_by_text(text).all()[:1]:
            violations.click()
            opened_page.page.wait_for_timeout(300)
            opened_page.page.keyboard.press("Escape")


def test_the_quality_gate_in_allure_says_what_the_verdict_says(
    chrome: Browser, reports: dict[str, Report]
) -> None:
    with open_page(chrome) as opened_page:
        for kind in ("go", "no-go", "undecided"):
            word = name_verdict([reports[kind].run])
            opened_page.go(reports[kind].folder / "allure" / "awesome" / "index.html", "#qualityGate")
            expect(opened_page.page.get_by_text(re.compile(rf"^{word}(:|$)")).first).to_be_visible(
                timeout=30_000
            )
            expect(opened_page.page.get_by_text(f"fcm-compat: {word}", exact=True).first).to_be_visible()
