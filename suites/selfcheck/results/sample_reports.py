"""Runs for the tests of the report: with findings, undecided, and with scripts in every text."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures.core import schemas
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.findings import RULES, Finding
from fixtures.core.payloads import CountedIds, address_all, error_events
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS, VERSION_MIXES
from fixtures.results import build_folder
from fixtures.results.ledger import Ledger, read_ledger
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results import sample_runs
from suites.selfcheck.results.sample_runs import Line, change_line, good_run

REACTOR = "subscribers-errors"
ROLLOUT_FILE = Path(__file__).with_name("sample_rollout.json")
WORST_FIRST = ("failed", "undecided", "waived", "not-judged", "passed")
WAIVED_CASE = load_catalogue()["v1-UNREGISTERED"]
WAIVED_ID = f"{REACTOR}/answers.status/{WAIVED_CASE.id}/handled-wrongly"
WEAKER = "The policy own.toml is weaker than that of this suite: reports is 10, not 15000."
STATUS = {"unsubscribe": "unsubscribed", "postpone": "postponed"}
SCRIPT = "<script>window.ran=1</script><img src=x onerror='window.ran=1'>\"'`--></style></title>"
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg'><script>window.ran=1</script></svg>"
REMOTE = "<img src=https://attacker.example/x.png>![x](https://attacker.example/y.png)"
COMMANDS = "\r\n::add-mask::x\n::error::x\x85\u2028=== GO ===\n=== GO ===\n##[error]x ##vso[x]\x1b]0;x\x07"
LINKS = "@team #12 !7 www.evil.example https://evil.example \u202e\u2066\u200b"
HOSTILE = f"{SCRIPT}{REMOTE}{{{{7*7}}}} {{%x%}} javascript:alert(1) \x1b[31m\x00\ud800{COMMANDS} {LINKS}"


def build_run(folder: Path, lines: list[Any], gate_problems: tuple[str, ...] = ()) -> ReportRun:
    """A run with these lines in its ledger, and its verdict."""
    verdict = sample_runs.judge(folder, lines, gate_problems)
    return ReportRun(read_ledger(folder / "ledger.jsonl"), verdict, load_catalogue())


def empty_run(reason: str) -> ReportRun:
    nothing = Ledger({"environment": "nowhere"}, (), ())
    return ReportRun(nothing, sample_runs.decide(nothing, (reason,), duration_s=0.0), load_catalogue())


def build_event(case: Case) -> dict[str, Any]:
    (entry,) = error_events(address_all([example_report(case)], CountedIds(run="0123456789ab")))
    return entry.payload


def wrong_state(case: Case, status: str) -> dict[str, Any]:
    """A finding about a subscriber that ended in another status than the case says."""
    event = build_event(case)
    expected_status = STATUS.get(case.outcome, "active")
    expected = f'{{"status":"{expected_status}"}} ({case.outcome}: {case.why} [{case.source}])'
    got = {
        "subscriber_id": event["subscriber_id"],
        "status": status,
        "token": event["token"],
        "postponed_until": None,
    }
    title = f"leaves the subscriber {status} after {case.id}"
    finding = Finding(
        rule="effects.subscriber",
        provider=REACTOR,
        case=case.id,
        title=title,
        sent=[event],
        expected=expected,
        got=got,
    )
    test = f"suites/compat/test_c.py::{REACTOR}-{case.id}"
    return finding.with_test(test, f"./ci/test '{test}'").to_json()


def other_code(case: Case, rule: str = "effects.code") -> dict[str, Any]:
    """A notice of a rule, about a report that directory-responses shows with another code."""
    notice = Finding(
        rule=rule,
        provider="directory-responses",
        case=case.id,
        title=f"makes another {rule.partition('.')[2]} of {case.id}",
        sent=[build_event(case)],
        expected=f'{{"code":"{case.code}"}} ({case.outcome}: {case.why} [{case.source}])',
        got={"code": case.code.lower()},
    )
    test = f"suites/compat/test_c.py::directory-responses-{case.id}"
    return notice.with_test(test, f"./ci/test '{test}'").to_json()


def add_notices(lines: list[Any], *notices: dict[str, Any]) -> list[Any]:
    """Let the test of each notice's case, which passes, leave it."""
    for notice in notices:
        lines[find_line(lines, notice["case"])].setdefault("notices", []).append(notice)
    return lines


def noticed_run(folder: Path) -> ReportRun:
    """A run that is go, with more kinds of notices than the first page shows unfolded."""
    unlike = [rule for rule, row in RULES.items() if row.rank == "label"][:9]
    codes = [other_code(case) for case in load_catalogue().cases[:3]]
    labels = [other_code(load_catalogue().cases[0], rule) for rule in unlike]
    contract = other_code(load_catalogue().cases[0], "answers.status") | {"title": "answers 200"}
    return build_run(folder, add_notices(good_run(), *labels, *codes, contract))


def add_waived(lines: list[Any], text: str = "") -> list[Any]:
    """Let a waiver accept that subscribers-errors answers 201 to the reports of a case."""
    waiver = {
        "reason": f"the old client wants it{text}",
        "who": f"the push team{text}",
        "until": "2026-12-31",
    }
    finding = wrong_state(WAIVED_CASE, "unsubscribed") | {"rule": "answers.status", "rank": "contract"}
    finding |= {"id": WAIVED_ID, "check": "answers", "title": f"answers 201 to a batch{text}"}
    finding |= {"effect": "handled-wrongly", "waived": waiver}
    change_line(0, waivers=[{"id": WAIVED_ID, **waiver}])(lines)
    lines[find_line(lines, WAIVED_CASE.id)].update(result="waived", waived=[finding])
    return lines


def waived_run(folder: Path) -> ReportRun:
    """A run that is go, with a waived finding, by a policy that asks for less than that of the suite."""
    run = build_run(folder, add_waived(good_run()))
    return ReportRun(run.ledger, {**run.verdict, "weaker": [WEAKER]}, run.catalogue)


def find_line(lines: list[Any], case: str) -> int:
    """The position of the test of a case at subscribers-errors."""
    return [(line.get("case"), line.get("provider")) for line in lines].index((case, REACTOR))


def add_finding(lines: list[Any], finding_row: dict[str, Any]) -> list[Any]:
    """Let the test of the finding's case fail with it."""
    members = {"result": "failed", "findings": [finding_row], "message": finding_row["title"]}
    lines[find_line(lines, finding_row["case"])].update(members)
    return lines


def no_go_run(folder: Path) -> ReportRun:
    """A live user unsubscribed, a dead one kept, and a broken test."""
    lines = good_run()
    live = next(case for case in load_catalogue().of_protocol("fcm_v1") if case.outcome == "postpone")
    dead = next(case for case in load_catalogue().cases if case.outcome == "unsubscribe")
    add_finding(lines, wrong_state(live, "unsubscribed"))
    add_finding(lines, wrong_state(dead, "active"))
    change_line(sample_runs.FIRST_CASE, result="broken", message="KeyError: 'x'", trace="line 1\nline 2")(
        lines
    )
    return build_run(folder, lines)


def hostile_run(folder: Path) -> ReportRun:
    """A run with a script in every text that a service, a test or a person can write."""
    lines: list[Line] = good_run()
    text = HOSTILE
    case = load_catalogue().cases[0]
    finding = wrong_state(case, "active")
    finding |= {"title": f"title {text}", "expected": text, "got": {"status": text, "body": text}}
    finding |= {"sent": [{**finding["sent"][0], "token": text, "response": text}]}
    finding |= {"reproduce": f"./ci/test {text}", "remark": text}
    add_waived(lines, text.replace("\ud800", ""))  # TOML has no half characters
    members = {"result": "failed", "findings": [finding], "notices": [finding]}
    members |= dict.fromkeys(("message", "trace", "promise", "worker"), text)
    lines[find_line(lines, case.id)].update(members)
    change_line(1, test=f"suites/x.py::test[{text}]", result="broken", message=text, trace=text)(lines)
    versions = {name: {"version": text, "target": text} for name in lines[0]["versions"]}
    change_line(0, environment=text, versions=versions)(lines)
    return build_run(folder, lines, gate_problems=(f"trouble: {text}",))


def count_states(run: ReportRun) -> Counter[str]:
    """The number of cells of the first page in each state."""
    cells: Counter[str] = Counter()
    for case in run.catalogue.cases:
        mixes = [name for name in VERSION_MIXES if case.protocol in VERSION_MIXES[name].protocols]
        for scopes in (*([name] for name in PROVIDERS), mixes):
            states = {run.verdict["cases"].get(scope, {}).get(case.id, "not-judged") for scope in scopes}
            cells[next(state for state in WORST_FIRST if state in states)] += 1
    return cells


def build_rollout_answer(damage: str = "") -> dict[str, Any]:
    """An answer that judges a release plan, with this damage at its last step, or safe."""
    answer: dict[str, Any] = json.loads(ROLLOUT_FILE.read_text(encoding="utf-8"))
    if damage:
        hurt: dict[str, Any] = {
            "edge": "e",
            "written_by": "w",
            "service": "s",
            "version": "v",
            "why": "y",
            "timeline": [],
        }
        hurt |= {"cause": {"step": answer["steps"][-1]["step"], "too_early_for": None}}
        answer["steps"][-1] |= {"verdict": "no-go", "damage": [{**hurt, "text": damage, "kinds": {}}]}
        answer |= {"verdict": "no-go", "reasons": [damage]}
        answer |= {"suggestion": ["clean records", "events-proxy", "go-sender"]}
    return answer


def with_plan(run: ReportRun, plan: dict[str, Any] | None) -> ReportRun:
    verdict = {**run.verdict, "rollout": plan}
    schemas.validate(verdict, "verdict.schema.json")
    return ReportRun(run.ledger, verdict, run.catalogue)


def write_record(run: ReportRun, ledger: Path, folder: Path) -> Path:
    """A run's ledger with its verdict beside it, as the gate leaves them."""
    build_folder.adopt(folder)
    shutil.copy(ledger, folder / "ledger.jsonl")
    (folder / "verdict.json").write_text(json.dumps(run.verdict), encoding="utf-8")
    return folder / "ledger.jsonl"


def run_report(
    ledgers: Sequence[Path],
    build: Path,
    *,
    root: Path = ROOT,
    path: str = "",
    options: Sequence[str] = ("--allure",),
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "ci.commands",
        "report",
        *map(str, ledgers),
        f"--build={build}",
        *options,
    ]
    env = {**os.environ, "PATH": path} if path else dict(os.environ)
    return subprocess.run(  # noqa: S603  our own command
        command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=600
    )
