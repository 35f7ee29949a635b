"""Runs for the tests of the report: good, with findings, doubtful, and with a script in every field."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from fixtures.core import schemas
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.payloads import IdFactory, address_all, error_events
from fixtures.core.topology import PROVIDERS, VERSION_MIXES
from fixtures.results import ledger, policy
from fixtures.results.ledger import Ledger
from fixtures.results.policy import Policy
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results.sample_runs import ASKED, DURATION_S, FIRST_CASE, Line, at, good_run, judged

REACTOR = "subscribers-errors"
WORST_FIRST = ("failed", "undecided", "not-judged", "passed")
STATUS = {"unsubscribe": "unsubscribed", "postpone": "postponed"}
SCRIPT = "<script>window.ran=1</script><img src=x onerror='window.ran=1'>\"'`--></style></title>"
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg'><script>window.ran=1</script></svg>"
REMOTE = "<img src=https://attacker.example/x.png>![x](https://attacker.example/y.png)"
HOSTILE = f"{SCRIPT}{REMOTE}{{{{7*7}}}} {{%x%}} javascript:alert(1) \x1b[31m\x00\ud800"


def run_of(folder: Path, lines: list[Any], trouble: tuple[str, ...] = (), asked: Policy = ASKED) -> ReportRun:
    """A run that was recorded and judged."""
    judged(folder, lines, trouble)
    read = ledger.read_ledger(folder / "ledger.jsonl")
    verdict = policy.decide(read, asked, load_catalogue(), duration_s=DURATION_S, gate_problems=trouble)
    return ReportRun(read, verdict, load_catalogue())


def empty_run(reason: str) -> ReportRun:
    """A run without a ledger."""
    nothing = Ledger({"environment": "nowhere"}, (), ())
    verdict = policy.decide(nothing, ASKED, load_catalogue(), duration_s=0.0, gate_problems=[reason])
    return ReportRun(nothing, verdict, load_catalogue())


def sent_for(case: Case) -> dict[str, Any]:
    """An error event of a case."""
    (entry,) = error_events(address_all([example_report(case)], IdFactory(run="0123456789ab")))
    return entry.payload


def wrong_state(case: Case, status: str) -> dict[str, Any]:
    """A finding: the subscriber ended otherwise than the case says."""
    event = sent_for(case)
    wanted = STATUS.get(case.outcome, "active")
    said = f'{{"status":"{wanted}"}} ({case.outcome}: {case.why} [{case.source}])'
    got = {
        "subscriber_id": event["subscriber_id"],
        "status": status,
        "token": event["token"],
        "postponed_until": None,
    }
    title = f"leaves the subscriber {status} after {case.id}"
    found = Finding(
        check="effects", provider=REACTOR, case=case.id, title=title, sent=[event], expected=said, got=got
    )
    test = f"suites/compat/test_c.py::{REACTOR}-{case.id}"
    return found.with_test(test, f"./ci/test '{test}'").to_json()


def line_of(lines: list[Any], case: str, provider: str = REACTOR) -> int:
    """Where the test of a case at a provider stands."""
    told = [(line.get("case"), line.get("provider")) for line in lines]
    return told.index((case, provider))


def with_finding(lines: list[Any], found: dict[str, Any]) -> list[Any]:
    """The same run, in which the test of the finding's case found it."""
    at(line_of(lines, found["case"]), result="failed", findings=[found], message=found["title"])(lines)
    return lines


def no_go(folder: Path) -> ReportRun:
    """A live user unsubscribed, a dead one kept, and a test that broke."""
    lines = good_run()
    live = next(
        case for case in load_catalogue().cases if case.outcome == "postpone" and case.protocol == "fcm_v1"
    )
    dead = next(case for case in load_catalogue().cases if case.outcome == "unsubscribe")
    with_finding(lines, wrong_state(live, "unsubscribed"))
    with_finding(lines, wrong_state(dead, "active"))
    at(FIRST_CASE, result="broken", message="KeyError: 'x'", trace="line 1\nline 2")(lines)
    return run_of(folder, lines)


def hostile(folder: Path) -> ReportRun:
    """A run with a script in every text that a service, a test or a person can put there."""
    lines: list[Line] = good_run()
    text = HOSTILE
    case = load_catalogue().cases[0]
    found = wrong_state(case, "active")
    found |= {"title": f"title {text}", "expected": text, "got": {"status": text, "body": text}}
    found |= {
        "sent": [{**found["sent"][0], "token": text, "response": text}],
        "reproduce": f"./ci/test {text}",
    }
    position = line_of(lines, case.id)
    at(position, result="failed", findings=[found], message=text, trace=text, promise=text, worker=text)(
        lines
    )
    at(1, test=f"suites/x.py::test[{text}]", result="broken", message=text, trace=text)(lines)
    versions = {name: {"version": text, "target": text} for name in lines[0]["versions"]}
    at(0, environment=text, versions=versions)(lines)
    return run_of(folder, lines, trouble=(f"trouble: {text}",))


def states_of(run: ReportRun) -> Counter[str]:
    """How many cells of the first page must be in each state: every provider, and the worst of all worlds."""
    cells: Counter[str] = Counter()
    for case in run.catalogue.cases:
        worlds = [name for name in VERSION_MIXES if case.protocol in VERSION_MIXES[name].protocols]
        for places in (*([name] for name in PROVIDERS), worlds):
            states = {run.verdict["cases"].get(place, {}).get(case.id, "not-judged") for place in places}
            cells[next(state for state in WORST_FIRST if state in states)] += 1
    return cells


def planned(damage: str = "") -> dict[str, Any]:
    """An answer of the rollout, with damage at its last step or none."""
    verdict = "no-go" if damage else "go"
    hurt = {"edge": "e", "written_by": "w", "service": "s", "version": "v", "why": "y", "timeline": []}
    steps: list[dict[str, Any]] = [
        {
            "step": name,
            "before": "1" if name != "clean records" else None,
            "after": "2" if name != "clean records" else None,
            "verdict": verdict if name == "go-sender" else "go",
            "damage": [{**hurt, "text": damage, "kinds": {}}] if damage and name == "go-sender" else [],
            "unknown": [],
            "way_back": {"state": "closed" if name == "go-sender" else "open", "steps": []},
        }
        for name in ("events-proxy", "clean records", "go-sender")
    ]
    first = {"first": "events-proxy", "then": "go-sender", "because": "b", "kinds": {}, "timeline": []}
    return {
        "verdict": verdict,
        "reasons": [damage] if damage else [],
        "services": {},
        "steps": steps,
        "orders": {"all": 6, "safe": 3, "undecided": 0},
        "constraints": [first],
        "explained": True,
        "no_return": ["go-sender"],
        "suggestion": ["clean records", "events-proxy", "go-sender"] if damage else None,
        "unknown": [],
        "disagreements": [],
        "judged": {},
    }


def with_plan(run: ReportRun, plan: dict[str, Any] | None) -> ReportRun:
    """The same run, which judged this plan, or none."""
    schemas.validate({**run.verdict, "rollout": plan}, "verdict.schema.json")
    return ReportRun(run.ledger, {**run.verdict, "rollout": plan}, run.catalogue)
