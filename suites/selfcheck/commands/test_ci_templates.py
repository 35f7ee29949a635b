"""What the templates for CI systems keep of a run, and what `./ci/summary` tells them."""

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ci.commands import report, summary
from fixtures.core.project import ROOT
from fixtures.results.build_folder import RunFiles
from suites.selfcheck.results.sample_reports import no_go_run, noticed_run
from suites.selfcheck.results.sample_runs import good_run, judge, make_finding

TEMPLATES = ROOT / "ci" / "templates"
READ_BY_SYSTEMS = [
    TEMPLATES / "action" / "action.yml",
    TEMPLATES / "github-actions-shards.yml",
    *TEMPLATES.glob("gitlab*"),
    *TEMPLATES.glob("J*"),
]


@pytest.mark.parametrize("template", READ_BY_SYSTEMS, ids=lambda file: file.name)
def test_a_template_keeps_only_what_is_meant_to_be_read(template: Path) -> None:
    kept_paths = set(re.findall(r"build/[\w.*/-]*", re.sub(r"(?m)^\s*(#|//).*", "", template.read_text())))
    assert {"build/verdict.json", "build/report/"} <= {path.removesuffix("**") for path in kept_paths}
    private = {"build/made.sqlite", "build/not-removed.ndjson", "build/shards/1/made.sqlite"}
    patterns = [f"{path}*" if path.endswith("/") else path for path in kept_paths - {"build/shards/"}]
    assert [file for file in private if any(fnmatch.fnmatch(file, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*-shards*")), ids=lambda file: file.name)
def test_a_template_runs_each_of_its_shards_once_and_tells_them_and_the_merge_the_same_run(
    template: Path,
) -> None:
    text = template.read_text(encoding="utf-8")
    assert text.count("FCM_COMPAT_RUN") == 1, "all jobs share the variable"
    numbers = re.search(r"shard: \[(.*)\]|values ('.*')|parallel: \d+", text)
    assert numbers is not None
    if listed := numbers[1] or numbers[2]:
        of = re.search(r"SHARDS(?:: | = )[\"'](\d+)", text)
        assert of is not None
        assert re.findall(r"\d+", listed) == [str(number) for number in range(1, int(of[1]) + 1)]
    else:
        assert '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"' in text


# --- the summary


def test_the_summary_is_the_one_of_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, good_run())), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path)]) == 69
    assert "no-verdict: summary.md" in capsys.readouterr().out, "without a report there is no summary"
    report.write_report([no_go_run(tmp_path)], RunFiles(tmp_path, tmp_path / "history"))
    assert summary.main(["--build", str(tmp_path)]) == 0
    summary_text = capsys.readouterr().out
    assert summary_text.startswith("## NO GO")
    assert summary_text == (tmp_path / "report" / "exports" / "summary.md").read_text(encoding="utf-8")


def test_an_annotation_is_nothing_but_what_it_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    injection = "<script>alert(1)</script> | [x](javascript:y)\n::error::forged `code`"
    forged = {**make_finding(injection), "expected": injection, "test": "suites/compat/x.py::y"}
    run = good_run()
    run[20].update(result="failed", findings=[forged])
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, run)), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("::")[1].split()[0] for line in lines] == ["error", "error"]
    assert "file=suites/compat/x.py,title=subscribers-errors v1-UNREGISTERED::" in lines[1]


def test_an_annotation_says_what_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = good_run()
    run[20].update(result="failed", findings=[make_finding()])
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, run)), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    assert "%0Arank: promise: what happens to subscribers and reports%0A" in capsys.readouterr().out


def test_the_ten_annotations_that_are_shown_are_the_ten_worst(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = good_run()
    for number in range(12):
        effect = "live-users-unsubscribed" if number > 9 else "contract-drift"
        finding = {**make_finding(f"title {number}"), "effect": effect}
        run[20 + number].update(result="failed", findings=[finding])
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, run)), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    verdict, *causes = capsys.readouterr().out.splitlines()
    assert verdict.endswith("; 3 more causes are in the summary")
    assert len(causes) == 9, "GitHub shows ten errors of a step"
    titles = [next(number for number in range(12) if f"title {number}%0A" in line) for line in causes]
    assert set(titles[:2]) == {10, 11}, "unsubscribed users come first"


def test_notices_are_annotations_of_a_bounded_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = noticed_run(tmp_path)
    (tmp_path / "verdict.json").write_text(json.dumps(run.verdict), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("::notice ")] == []
    assert len(lines) == 1 + summary.SHOWN_NOTICES + 1 < 1 + len(run.notices)
    assert "answers 200%0AWhat differs here is no reason for a no-go.%0A" in lines[1]
    assert lines[-1].endswith(f"and {len(run.notices) - summary.SHOWN_NOTICES} more kinds of notices")


def test_a_run_that_proves_everything_is_a_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict: dict[str, Any] = judge(tmp_path, good_run())
    (tmp_path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    subject = "embedded reference services only, environment local, run r1"
    assert (
        capsys.readouterr().out
        == f"::notice title=fcm-compat%3A GO%2C references only::{subject}: nothing was found\n"
    )


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[" * 100_000], ids=["none", "empty", "no verdict", "deep"]
)
@pytest.mark.parametrize("form", [(), ("--annotations",)], ids=["Markdown", "annotations"])
def test_no_verdict_is_told_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, form: tuple[str, ...]
) -> None:
    if content is not None:
        (tmp_path / "verdict.json").write_text(content, encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), *form]) == 69
    assert "no-verdict" in capsys.readouterr().out
