"""The pages say what the verdict says, lead somewhere, fetch nothing, and run nothing."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import PROVIDERS, load_release, get_version_number
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.history import find_changes, summarize_run
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages
from suites.selfcheck.results.sample_reports import (
    PICTURE,
    REACTOR,
    SCRIPT,
    empty_run,
    hostile,
    no_go,
    planned,
    run_of,
    states_of,
    with_finding,
    with_plan,
    wrong_state,
)
from suites.selfcheck.results.sample_runs import at, good_run

pytestmark = pytest.mark.aside  # how it looks is not what the gate judges

CASES = load_catalogue().cases
ALLOWED_SCHEMES = ("data:image/svg+xml;base64,",)


class Page(HTMLParser):
    """What a page holds: its words, its elements, its links and what is marked in its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.elements: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.cells: list[str] = []
        self.silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        told = {name: value or "" for name, value in attrs}
        self.elements.append(tag)
        self.silent = tag == "style"
        self.handlers += [name for name in told if name.startswith("on") or name == "style"]
        self.links += [told["href"]] if tag == "a" else []
        self.sources += [told["src"]] if "src" in told else []
        self.ids += [told["id"]] if "id" in told else []
        if tag == "td" and told.get("class", "").startswith("cell"):
            self.cells.append(told["class"].removeprefix("cell "))

    def handle_endtag(self, tag: str) -> None:
        """Words count again after a style sheet."""
        self.silent = self.silent and tag != "style"

    def handle_data(self, data: str) -> None:
        """Note the words."""
        self.words += "" if self.silent else f" {' '.join(data.split())} "


def page_of(*runs: ReportRun, about: ReportContext | None = None) -> Page:
    """The first page of these runs."""
    return Page(build_pages(runs, about or ReportContext())["index.html"])


def words_of(page: Page) -> str:
    """The words of a page, with single spaces."""
    return " ".join(page.words.split())


def test_a_go_says_so_and_names_what_was_judged(tmp_path: Path) -> None:
    said = words_of(page_of(run_of(tmp_path, good_run())))
    assert f"GO {len(CASES)} kinds of FCM answers end right at all {len(PROVIDERS)} services judged" in said
    assert "and from end to end" in said
    assert "Judged: the reference services of this project, not your deployments." in said
    assert "Nothing wrong" not in said


def test_a_go_of_deployments_lets_the_sender_be_released(tmp_path: Path) -> None:
    lines = good_run()
    deployed = {name: {"version": "9.9", "target": "https://staging.example"} for name in PROVIDERS}
    at(0, versions=deployed)(lines)
    said = words_of(page_of(run_of(tmp_path, lines)))
    assert f"GO go-sender {get_version_number('go-sender', 'after')} may be released:" in said
    assert "not your deployments" not in said
    assert "9.9 (https://staging.example)" in said


def test_a_no_go_counts_the_harm_to_users_worst_first(tmp_path: Path) -> None:
    said = words_of(page_of(no_go(tmp_path)))
    sender = f"go-sender {get_version_number('go-sender', 'after')}"
    assert f"NO GO with {sender}, 1 kind of live users would be unsubscribed, and 1 more effect" in said
    assert said.index("Live users unsubscribed") < said.index("Dead users kept") < said.index("KeyError")
    assert f"Do not release {sender}." in said


def test_an_undecided_says_that_nothing_was_found_and_what_to_do() -> None:
    said = words_of(page_of(empty_run("unreachable-target: x does not answer")))
    assert "UNDECIDED nothing wrong was found, but not everything was seen. A service did not answer." in said
    assert "unreachable-target: x does not answer" in said
    assert "Do not release on this run" in said


def test_every_cell_says_what_the_verdict_says(tmp_path: Path) -> None:
    for run in (run_of(tmp_path, good_run()), no_go(tmp_path), empty_run("no-tests: x")):
        page = page_of(run)
        assert Counter(page.cells) == states_of(run)


def test_every_service_of_the_update_map_has_a_line_and_a_verdict(tmp_path: Path) -> None:
    said = words_of(page_of(with_plan(no_go(tmp_path), None)))
    for service in load_release()["services"]:
        assert f"{service} " in said
        assert f"{get_version_number(service, 'before')} → {get_version_number(service, 'after')}" in said
    assert said.count("not judged on its own") == len(load_release()["services"]) - len(PROVIDERS)
    assert "wrong: 2 kinds of findings" in said


@pytest.mark.parametrize("allure", [True, False], ids=["with Allure", "without Allure"])
def test_every_link_leads_somewhere(tmp_path: Path, *, allure: bool) -> None:
    run = no_go(tmp_path)
    made = build_pages([run], ReportContext(allure=allure, links=[("CSV", "exports/cases.csv", "x")]))
    anchors = {name: set(Page(text).ids) for name, text in made.items()}
    for name, text in made.items():
        for link in Page(text).links:
            target, _, anchor = link.partition("#")
            place = str(PurePosixPath(name).parent / target) if target else name
            place = re.sub(r"[^/]+/\.\./", "", place)
            if place.startswith(("allure/", "exports/")):
                continue
            assert place in made, f"{name}: {link}"
            assert not anchor or anchor in anchors[place], f"{name}: {link}"


def test_every_red_cell_leads_into_allure_or_to_its_finding(tmp_path: Path) -> None:
    run = no_go(tmp_path)
    for about, start in (
        (ReportContext(allure=True), "allure/awesome/index.html#"),
        (ReportContext(), "findings/"),
    ):
        text = build_pages([run], about)["index.html"]
        red = re.findall(r'<td class="cell failed">(<a href="([^"]+)">)?', text)
        assert len(red) == 2
        assert all(href.startswith(start) for _, href in red)


@pytest.mark.parametrize("name", ["index.html", "cases.html", "finding"])
def test_a_script_in_every_field_is_only_text(tmp_path: Path, name: str) -> None:
    run = hostile(tmp_path)
    about = ReportContext(commit="<b>", executor="<script>", pictures={"timeline": PICTURE})
    made = build_pages([run], about)
    page = Page(made[f"findings/{run.kinds[0].slug}.html" if name == "finding" else name])
    assert not {"script", "iframe", "object", "embed", "form", "base", "link"} & set(page.elements)
    assert page.handlers == []
    assert [link for link in page.links if re.match(r"\s*(javascript|data|https?):", link)] == []
    assert [source for source in page.sources if not source.startswith(ALLOWED_SCHEMES)] == []
    assert name == "cases.html" or "<script>window.ran=1</script>" in page.words


def test_the_policy_of_every_page_forbids_scripts_and_requests(tmp_path: Path) -> None:
    for text in build_pages([hostile(tmp_path)], ReportContext()).values():
        head = text.partition("</head>")[0]
        policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', head)
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy[0]


def test_a_finding_has_a_page_with_all_its_evidence(tmp_path: Path) -> None:
    run = no_go(tmp_path)
    made = build_pages([run], ReportContext())
    for kind in run.kinds:
        said = words_of(Page(made[f"findings/{kind.slug}.html"]))
        case = load_catalogue()[str(kind.case)]
        event = kind.smallest["sent"][0]
        for text in (kind.title, kind.effect.category, case.why, case.source, "The subscriber before"):
            assert text in said, text
        assert f'"token": "{event["token"]}"' in said
        assert kind.smallest["reproduce"] in said
        assert "curl -sS -X POST" in said
        assert "/_pact/provider-states" in said
        assert f"/v1/subscribers?id={event['subscriber_id']}" in said


def test_the_rollout_is_said_not_to_be_judged_until_its_pictures_are_there(tmp_path: Path) -> None:
    run = with_plan(run_of(tmp_path, good_run()), None)
    assert "The order of the deployments was not judged in this run." in words_of(page_of(run))
    shown = page_of(run, about=ReportContext(pictures={"timeline": PICTURE}))
    assert len(shown.sources) == 1


def test_a_judged_plan_gives_each_step_a_line_with_its_verdict_and_way_back(tmp_path: Path) -> None:
    run = with_plan(run_of(tmp_path, good_run()), planned())
    page = page_of(run)
    said = words_of(page)
    assert said.index("1. events-proxy") < said.index("2. clean records") < said.index("3. go-sender")
    assert "only after events-proxy back: closed" in said
    assert "The plan is safe at every step, forwards and back. 3 of 6 orders are safe." in said
    assert "Point of no return: after go-sender there is no safe way back." in said
    assert "was not judged in this run" not in said
    assert "Release in this order: events-proxy, clean records, go-sender." in said
    assert "and the planned order is safe at every step" in said


def test_a_plan_that_hurts_says_where_and_names_a_safe_one(tmp_path: Path) -> None:
    said = words_of(page_of(with_plan(run_of(tmp_path, good_run()), planned(f"it hurts {SCRIPT}"))))
    assert "The plan is not safe." in said
    assert said.count("it hurts <script>") == 2
    assert "The nearest safe plan: clean records, events-proxy, go-sender" in said


def test_what_changed_since_the_last_run_is_told(tmp_path: Path) -> None:
    good, bad = run_of(tmp_path, good_run()), no_go(tmp_path)
    before = {**summarize_run(good, "c"), "run": "earlier", "verdict": "go"}
    told = {"local": find_changes([before], summarize_run(bad, "c"))}
    said = words_of(page_of(bad, about=ReportContext(changes=told)))
    assert "it was GO" in said
    assert f"new: {REACTOR}: leaves the subscriber unsubscribed" in said
    assert "This is the first run" not in said


def test_environments_stand_side_by_side(tmp_path: Path) -> None:
    lines = with_finding(good_run(), wrong_state(CASES[0], "active"))
    at(0, environment="production")(lines)
    runs = (run_of(tmp_path, good_run()), run_of(tmp_path, lines))
    page = page_of(*runs)
    said = words_of(page)
    assert "Environments side by side" in said
    assert f"production: {REACTOR}" in said
    assert len(page.cells) == 2 * len(CASES) * (len(PROVIDERS) + 1)
    assert "NO GO" in said.partition("What to do next")[0]


def test_the_same_finding_in_two_environments_has_two_pages(tmp_path: Path) -> None:
    lines = with_finding(good_run(), wrong_state(CASES[0], "active"))
    one = run_of(tmp_path, lines)
    at(0, environment="production")(lines)
    made = build_pages([one, run_of(tmp_path, lines)], ReportContext())
    assert len([name for name in made if name.startswith("findings/")]) == 2


def test_colours_are_never_alone(tmp_path: Path) -> None:
    text = build_pages([no_go(tmp_path)], ReportContext())["index.html"]
    for state, word in (("passed", "right"), ("failed", "wrong"), ("undecided", "undecided")):
        cells = re.findall(rf'<td class="cell {state}">.*?</td>', text, re.DOTALL)
        assert cells, state
        assert all(f'href="#{state}"' in cell and f">{word}</span>" in cell for cell in cells)
    symbols = re.findall(r'<symbol id="([^"]+)" [^>]*>(.*?)</symbol>', text)
    assert len({drawing for _, drawing in symbols}) == len(symbols)
