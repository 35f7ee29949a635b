"""The pages show the verdict, have working links, load nothing, and run no script but our own."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path, PurePosixPath

import pytest

from fixtures.core import schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.harm import HARM_BY_ID
from fixtures.core.topology import PROVIDERS, get_version_number, load_release
from fixtures.results.report import headline, summary_page, wording
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.history import find_changes, summarize_run
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages, build_traffic_files
from fixtures.results.report.templating import TEMPLATES
from suites.selfcheck.results.parsed_page import Page, page_text, render_page
from suites.selfcheck.results.sample_reports import (
    PICTURE,
    REACTOR,
    SCRIPT,
    add_finding,
    build_rollout_answer,
    build_run,
    count_states,
    empty_run,
    hostile_run,
    no_go_run,
    noticed_run,
    with_plan,
    wrong_state,
)
from suites.selfcheck.results.sample_runs import change_line, good_run

CASES = load_catalogue().cases
COPY = (TEMPLATES / "copy.js").read_text(encoding="utf-8")
ALLOWED_SCHEMES = ("data:image/svg+xml;base64,",)


def test_a_go_says_so_and_names_what_was_judged(tmp_path: Path) -> None:
    text = page_text(render_page(build_run(tmp_path, good_run())))
    proof = f"{len(CASES)} kinds of FCM answers end right at all {len(PROVIDERS)} services judged"
    assert f"GO, references only {proof}" in text
    assert "and from end to end" in text
    assert "Judged: the reference services of this project, not your deployments." in text
    assert "Nothing wrong" not in text


def test_a_go_of_deployments_lets_the_sender_be_released(tmp_path: Path) -> None:
    lines = good_run()
    deployed = {name: {"version": "9.9", "target": "https://staging.example"} for name in PROVIDERS}
    change_line(0, versions=deployed)(lines)
    text = page_text(render_page(build_run(tmp_path, lines)))
    assert f"GO go-sender {get_version_number('go-sender', 'after')} may be released:" in text
    assert "not your deployments" not in text
    assert "9.9 (https://staging.example)" in text


def test_a_go_names_how_much_is_not_judged(tmp_path: Path) -> None:
    lines = good_run()
    case = next(line for line in lines if line.get("provider") == "subscribers-errors" and "case" in line)[
        "case"
    ]
    for line in lines:
        if (line.get("provider"), line.get("case")) == ("subscribers-errors", case):
            line |= {"result": "not-judged", "message": "subscribers-errors is not judged on legacy"}
    text = page_text(render_page(build_run(tmp_path, lines)))
    assert "services judged (except 1 that subscribers-errors is not judged on)" in text
    assert "passed and 1 not judged" in text


def test_a_go_names_each_deployment_that_stands_in_no_version_mix(tmp_path: Path) -> None:
    lines, reason = (
        good_run(),
        "mixed: the suite does not start it, so it cannot give way to the other version",
    )
    sender = {"version": "9.9", "target": "https://staging.example", "mixes": reason}
    change_line(0, versions={**lines[0]["versions"], "go-sender": sender})(lines)
    text = page_text(render_page(build_run(tmp_path, lines)))
    assert f"not in the version mixes: the deployment of go-sender: {reason}" in text


def test_a_no_go_counts_the_harm_to_users_worst_first(tmp_path: Path) -> None:
    text = page_text(render_page(with_plan(no_go_run(tmp_path), None)))
    service = f"{REACTOR} {get_version_number(REACTOR, 'after')}"
    assert f"NO GO with {service}, 1 kind of live users would be unsubscribed, and 1 more effect" in text
    assert text.index("Live users unsubscribed") < text.index("Dead users kept") < text.index("KeyError")
    assert f"Hold back step 2, {service}: from there on," in text


def test_an_undecided_says_that_nothing_was_found_and_what_to_do() -> None:
    text = page_text(render_page(empty_run("unreachable-target: x does not answer")))
    assert "UNDECIDED nothing wrong was found, but not everything was seen. A service did not answer." in text
    assert "unreachable-target: x does not answer" in text
    assert "Do not release on this run" in text


def test_the_owner_of_a_service_stands_beside_it_and_in_the_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = deepcopy(load_release())
    release["services"][REACTOR]["owner"] = "team push"
    schemas.validate(release, "release.schema.json")
    for module in (headline, summary_page):
        monkeypatch.setattr(module, "load_release", lambda: release)
    text = page_text(render_page(with_plan(no_go_run(tmp_path), None)))
    assert "; owner: team push" in text
    assert f"Give what was found at {REACTOR} (2 pages) to team push:" in text


def test_every_cell_says_what_the_verdict_says(tmp_path: Path) -> None:
    for run in (build_run(tmp_path, good_run()), no_go_run(tmp_path), empty_run("no-tests: x")):
        page = render_page(run)
        assert Counter(page.cells) == count_states(run)


def test_every_service_of_the_update_map_has_a_line_and_a_verdict(tmp_path: Path) -> None:
    text = page_text(render_page(with_plan(no_go_run(tmp_path), None)))
    for service in load_release()["services"]:
        assert f"{service} " in text
        assert f"{get_version_number(service, 'before')} → {get_version_number(service, 'after')}" in text
    assert text.count("not judged on its own") == len(load_release()["services"]) - len(PROVIDERS)
    assert "wrong: 2 kinds of findings" in text


@pytest.mark.parametrize("build", [no_go_run, noticed_run], ids=["findings", "notices"])
@pytest.mark.parametrize("allure", [True, False], ids=["with Allure", "without Allure"])
def test_every_link_leads_somewhere(
    tmp_path: Path, build: Callable[[Path], ReportRun], *, allure: bool
) -> None:
    run = build(tmp_path)
    pages = build_pages([run], ReportContext(allure=allure, links=[("CSV", "exports/cases.csv", "x")]))
    anchors, traffic = {name: set(Page(text).ids) for name, text in pages.items()}, build_traffic_files([run])
    for name, text in pages.items():
        for link in Page(text).links:
            target, _, anchor = link.partition("#")
            path = str(PurePosixPath(name).parent / target) if target else name
            path = re.sub(r"[^/]+/\.\./", "", path)
            if path.startswith(("allure/", "exports/")):
                continue
            assert path in {**pages, **traffic}, f"{name}: {link}"
            assert not anchor or anchor in anchors[path], f"{name}: {link}"


def test_every_red_cell_leads_into_allure_or_to_its_finding(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    for about, start in (
        (ReportContext(allure=True), "allure/awesome/index.html#"),
        (ReportContext(), "findings/"),
    ):
        text = build_pages([run], about)["index.html"]
        red = re.findall(r'<td class="cell failed">(<a href="([^"]+)">)?', text)
        assert len(red) == 2
        assert all(href.startswith(start) for _, href in red)


@pytest.mark.parametrize("name", ["index.html", "cases.html", "finding", "notice"])
def test_a_script_in_every_field_is_only_text(tmp_path: Path, name: str) -> None:
    run = hostile_run(tmp_path)
    about = ReportContext(commit="<b>", executor="<script>", pictures={"timeline": PICTURE})
    pages = build_pages([run], about)
    paths = {"finding": f"findings/{run.kinds[0].slug}.html", "notice": f"notices/{run.notices[0].slug}.html"}
    path = paths.get(name, name)
    assert re.findall("<script[^>]*>", pages[path]) == ["<script>"] * (name in paths)
    page = Page(pages[path].replace(f"<script>{COPY}</script>", ""))
    assert not {"script", "iframe", "object", "embed", "form", "base", "link"} & set(page.elements)
    assert page.handlers == []
    assert [link for link in page.links if re.match(r"\s*(javascript|data|https?):", link)] == []
    assert [source for source in page.sources if not source.startswith(ALLOWED_SCHEMES)] == []
    assert name == "cases.html" or "<script>window.ran=1</script>" in page.words


def test_the_policy_of_every_page_forbids_requests_and_all_scripts_but_our_own(tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(COPY.encode()).digest()).decode()
    for text in build_pages([hostile_run(tmp_path)], ReportContext()).values():
        head = text.partition("</head>")[0]
        policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', head)
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'; style-src 'sha256-")
        allowed = f"script-src 'sha256-{digest}'; " if "<script>" in text else ""
        assert re.findall("script-src[^;]*; ", policy[0]) == [allowed] * bool(allowed)


def test_a_finding_has_a_page_with_all_its_evidence(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    pages = build_pages([run], ReportContext())
    for kind in run.kinds:
        evidence_text = page_text(Page(pages[f"findings/{kind.slug}.html"]))
        case = load_catalogue()[str(kind.case)]
        event = kind.smallest["sent"][0]
        for text in (kind.title, kind.effect.category, case.why, case.source, "The subscriber before"):
            assert text in evidence_text, text
        assert f'"token": "{event["token"]}"' in evidence_text
        assert kind.smallest["reproduce"] in evidence_text
        assert "curl -sS -X POST" in evidence_text
        assert "/_pact/provider-states" in evidence_text
        assert "/v1/subscribers?id=0000000" in evidence_text


def test_the_page_of_a_finding_says_how_much_it_weighs_and_what_decides(tmp_path: Path) -> None:
    finding = wrong_state(load_catalogue()["v1-UNREGISTERED"], "active")
    run = build_run(tmp_path, add_finding(good_run(), finding))
    text = page_text(Page(build_pages([run], ReportContext())[f"findings/{run.kinds[0].slug}.html"]))
    assert f"Rank promise: {wording.TEXTS['ranks']['promise']['about']}" in text
    assert f"Rule effects.subscriber Decides {finding['document']}" in text
    assert f"Answer documented: {wording.TEXTS['answer_classes']['documented']['means']}" in text
    assert HARM_BY_ID[finding["effect"]].means in text


def test_the_page_of_a_finding_shows_its_remark(tmp_path: Path) -> None:
    case = next(case for case in load_catalogue().cases if case.outcome == "unsubscribe")
    remark = "It takes several entries."
    run = build_run(tmp_path, add_finding(good_run(), wrong_state(case, "active") | {"remark": remark}))
    pages = build_pages([run], ReportContext())
    assert remark in page_text(Page(pages[f"findings/{run.kinds[0].slug}.html"]))


def test_the_rollout_is_said_not_to_be_judged_until_its_pictures_are_there(tmp_path: Path) -> None:
    run = with_plan(build_run(tmp_path, good_run()), None)
    assert "The order of the deployments was not judged in this run." in page_text(render_page(run))
    page = render_page(run, about=ReportContext(pictures={"timeline": PICTURE}))
    assert len(page.sources) == 1


def test_a_judged_plan_gives_each_step_a_line_with_its_verdict_and_way_back(tmp_path: Path) -> None:
    run = with_plan(build_run(tmp_path, good_run()), build_rollout_answer())
    page = render_page(run)
    text = page_text(page)
    assert text.index("1. events-proxy") < text.index("2. clean records") < text.index("3. go-sender")
    assert "only after events-proxy back: closed" in text
    assert "The plan is safe at every step, forwards and back. 3 of 6 orders are safe." in text
    assert "Point of no return: after go-sender there is no safe way back." in text
    assert "was not judged in this run" not in text
    assert "Release in this order: events-proxy, clean records, go-sender." in text
    assert "and the planned order is safe at every step" in text


def test_a_plan_that_hurts_says_where_and_names_a_safe_one(tmp_path: Path) -> None:
    text = page_text(
        render_page(with_plan(build_run(tmp_path, good_run()), build_rollout_answer(f"it hurts {SCRIPT}")))
    )
    assert "The plan is not safe." in text
    assert text.count("it hurts <script>") == 2
    assert "The nearest safe plan: clean records, events-proxy, go-sender" in text


def test_what_changed_since_the_last_run_is_told(tmp_path: Path) -> None:
    good, bad = build_run(tmp_path, good_run()), no_go_run(tmp_path)
    before = {**summarize_run(good, "c"), "run": "earlier", "verdict": "go"}
    changes = {"local": find_changes([before], summarize_run(bad, "c"))}
    text = page_text(render_page(bad, about=ReportContext(changes=changes)))
    assert "it was GO" in text
    assert f"new: {REACTOR}: leaves the subscriber unsubscribed" in text
    assert "This is the first run" not in text


def test_environments_stand_side_by_side(tmp_path: Path) -> None:
    lines = add_finding(good_run(), wrong_state(CASES[0], "active"))
    change_line(0, environment="production")(lines)
    runs = (build_run(tmp_path, good_run()), build_run(tmp_path, lines))
    page = render_page(*runs)
    text = page_text(page)
    assert "Environments side by side" in text
    assert f"production: {REACTOR}" in text
    assert len(page.cells) == 2 * len(CASES) * (len(PROVIDERS) + 1)
    assert "NO GO" in text.partition("What to do next")[0]


def test_the_same_finding_in_two_environments_has_two_pages(tmp_path: Path) -> None:
    lines = add_finding(good_run(), wrong_state(CASES[0], "active"))
    first = build_run(tmp_path, lines)
    change_line(0, environment="production")(lines)
    pages = build_pages([first, build_run(tmp_path, lines)], ReportContext())
    assert len([name for name in pages if name.startswith("findings/")]) == 2


def test_colours_are_never_alone(tmp_path: Path) -> None:
    text = build_pages([no_go_run(tmp_path)], ReportContext())["index.html"]
    for state, word in (("passed", "right"), ("failed", "wrong"), ("undecided", "undecided")):
        cells = re.findall(rf'<td class="cell {state}">.*?</td>', text, re.DOTALL)
        assert cells, state
        assert all(f'href="#{state}"' in cell and f">{word}</span>" in cell for cell in cells)
    symbols = re.findall(r'<symbol id="([^"]+)" [^>]*>(.*?)</symbol>', text)
    assert len({drawing for _, drawing in symbols}) == len(symbols)
