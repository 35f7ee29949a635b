"""A dry run of each script in the CI templates: what it calls, in which order, and what a failure leaves."""

import fnmatch
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci.support.command_line import build_parser
from suites.selfcheck.commands.ci_template_runs import (
    TEMPLATES,
    JobRun,
    make_project,
    read_jobs,
    run_job,
    write_program,
)

PLAIN = {"github-actions.yml": "gate", "gitlab-ci.yml": "fcm-compat", "Jenkinsfile": "Gate"}
AUDITS = {"github-actions.yml": "audit", "gitlab-ci.yml": "fcm-compat-audit", "Jenkinsfile": "Audit"}
SHARDED = {
    "github-actions-shards.yml": ("plan", "shard", "merge"),
    "gitlab-ci-shards.yml": ("fcm-compat-plan", "fcm-compat-shard", "fcm-compat"),
    "Jenkinsfile-shards": ("Plan", "Shard", "Merge"),
}
TARGETS = ["--targets", "ci/targets.toml", "--environment", "staging", "--i-own", "staging"]
STAGING = {"FCM_COMPAT_ENVIRONMENT": "staging", "ENVIRONMENT": "staging"}
SYSTEM = {
    "CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "8", "SHARD": "3", "SHARDS": "8", "FCM_COMPAT_RUN": "4711",
}  # fmt: skip


def run(folder: Path, template: str, job: str, variables: Mapping[str, str] = {}) -> JobRun:
    """Run a job. The Jenkinsfile's first stage belongs to the same build as its gate."""
    (folder / "calls").unlink(missing_ok=True)
    project = make_project(folder)
    (project / "github").touch()
    surroundings = {"DEEP": "", "ENVIRONMENT": "", "FCM_COMPAT_ENVIRONMENT": "", **SYSTEM}
    if template.startswith("github"):
        surroundings |= {"GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": f"{project}/ci/templates/action"}
        surroundings |= {"GITHUB_STEP_SUMMARY": f"{folder}/page", "GITHUB_OUTPUT": f"{folder}/output"}
    jobs = read_jobs(template)
    scripts = [*jobs["Prepare"], *jobs[job]] if template == "Jenkinsfile" else jobs[job]
    return run_job(scripts, project, {**surroundings, **variables})


def list_called(result: JobRun) -> list[str]:
    return [call[0] for call in result.calls]


@pytest.mark.parametrize(("template", "job"), PLAIN.items())
def test_deployments_are_examined_judged_and_cleaned_up(tmp_path: Path, template: str, job: str) -> None:
    result = run(tmp_path, template, job, {**STAGING, "DEEP": "30m"})
    assert not result.failed, result.output
    calls = [list(call) for call in result.calls if call[0] != "summary"]
    assert calls == [
        ["doctor", *TARGETS],
        ["gate", "--release-gate", *TARGETS],
        ["deep", "--budget", "30m", *TARGETS],
        ["cleanup-states", *TARGETS],
    ]
    assert list_called(result)[-1] == "summary"


@pytest.mark.parametrize(("template", "job"), PLAIN.items())
def test_without_an_environment_the_references_are_judged(tmp_path: Path, template: str, job: str) -> None:
    result = run(tmp_path, template, job)
    assert not result.failed, result.output
    assert [list(call) for call in result.calls if call[0] != "summary"] == [["gate"]]


@pytest.mark.parametrize(("template", "job"), PLAIN.items())
def test_after_a_failed_doctor_nothing_is_judged_and_no_earlier_result_is_kept(
    tmp_path: Path, template: str, job: str
) -> None:
    result = run(tmp_path, template, job, {**STAGING, "EXIT_doctor": "69"})
    assert result.failed
    assert list(dict.fromkeys(list_called(result))) == ["doctor", "cleanup-states", "summary"]
    if template == "Jenkinsfile":  # the other systems give each job an empty folder
        patterns = re.findall(
            r"build/[\w.*/-]+",
            (TEMPLATES / template).read_text(encoding="utf-8").partition("archiveArtifacts")[2],
        )
        files = [str(file.relative_to(tmp_path / "project")) for file in tmp_path.rglob("build/**/*")]
        assert [file for file in files if any(fnmatch.fnmatch(file, pattern) for pattern in patterns)] == [
            "build/summary.md"
        ]


@pytest.mark.parametrize(("template", "job"), AUDITS.items())
def test_the_packages_of_the_suite_are_audited_at_night(tmp_path: Path, template: str, job: str) -> None:
    assert list_called(run(tmp_path, template, job)) == ["audit.sh"]
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    assert re.search(
        rf"(?m)(^ *{job}:|stage\('{job}'\))(.*\n){{1,6}}.*(\"schedule\"|'schedule'|TimerTrigger)", text
    )
    assert "build/sbom.cdx.json" in text


@pytest.mark.parametrize("status", ["1", "2"], ids=["no-go", "undecided"])
@pytest.mark.parametrize(("template", "job"), PLAIN.items())
def test_a_verdict_that_is_no_go_fails_the_job_and_is_still_shown(
    tmp_path: Path, template: str, job: str, status: str
) -> None:
    result = run(tmp_path, template, job, {**STAGING, "EXIT_gate": status, "EXIT_cleanup_states": "69"})
    assert result.failed
    assert list(dict.fromkeys(list_called(result))) == ["doctor", "gate", "cleanup-states", "summary"]


@pytest.mark.parametrize(("template", "jobs"), SHARDED.items())
def test_shards_are_one_run_of_which_only_the_merge_says_go(
    tmp_path: Path, template: str, jobs: tuple[str, str, str]
) -> None:
    plan, shard, merge = (run(tmp_path / name, template, name, STAGING) for name in jobs)
    assert [list(call) for call in plan.calls] == [["doctor", *TARGETS]]
    gate, cleanup = shard.calls
    assert gate[:3] == ["gate", "--shard", "3/8"]
    assert set(TARGETS) <= set(gate)
    assert "--release-gate" not in gate
    assert cleanup[0] == "cleanup-states"
    folders = [call[call.index("--build") + 1] for call in shard.calls if "--build" in call]
    assert folders in ([], ["build/shards/3"] * 2), (
        "the list of test subscribers lies where the shard wrote it"
    )
    assert merge.calls[0][:2] == ["merge", "--release-gate"]
    undecided = run(tmp_path / "undecided", template, jobs[1], {**STAGING, "EXIT_gate": "2"})
    assert undecided.failed == template.startswith("gitlab"), "GitLab allows this exit code by name"
    assert run(tmp_path / "no-go", template, jobs[1], {**STAGING, "EXIT_gate": "1"}).failed


@pytest.mark.parametrize("template", [*PLAIN, *SHARDED])
def test_every_command_takes_its_options(tmp_path: Path, template: str) -> None:
    jobs = read_jobs(template)
    for job in jobs:
        for command, *arguments in run(tmp_path / job, template, job, {**STAGING, "DEEP": "30m"}).calls:
            if command != "audit.sh":  # it has no options
                build_parser(command).parse_args(arguments)


@pytest.mark.parametrize("template", [*PLAIN, *SHARDED, "action/action.yml"])
def test_an_action_is_named_by_its_commit_with_the_tag_beside_it(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for used in re.findall(r"uses: (.*)", text):
        if not used.startswith(("./", "OWNER/")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used)


@pytest.mark.parametrize("template", [*PLAIN, *SHARDED])
def test_every_job_has_a_time_limit(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    jobs = len(read_jobs(template))
    if template == "Jenkinsfile":
        jobs = 1  # its stages are one job
    assert len(re.findall(r"timeout(?:-minutes)?(?::|\()", text)) == jobs + (template == "Jenkinsfile-shards")


# --- the comment

GH = """#!/usr/bin/env bash
printf '%s\\x1f' gh "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
case "$*" in *--jq*) echo "$COMMENTS" ;; *) exit "$REFUSED" ;; esac
"""
CURL = """#!/usr/bin/env bash
printf '%s\\x1f' curl "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
[ "$(cat)" = "PRIVATE-TOKEN: secret" ] || exit 9
case "$*" in *per_page*) echo "$COMMENTS" ;; *) exit "$REFUSED" ;; esac
"""
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r", "PULL_REQUEST": "5"}
GITLAB = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "5", "CI_API_V4_URL": "https://git.example/api/v4"}
GITLAB |= {"CI_PROJECT_ID": "9", "FCM_COMPAT_GITLAB_TOKEN": "secret"}
NOTES = '[{"id": 1, "body": "by a person"}, {"id": 7, "body": "<!-- fcm-compat -->\\nold"}]'


def comment(folder: Path, variables: Mapping[str, str]) -> JobRun:
    project = make_project(folder)
    write_program(folder / "bin" / "gh", GH)
    write_program(folder / "bin" / "curl", CURL)
    scripts = read_jobs("gitlab-ci.yml")["fcm-compat"][-1:]
    return run_job(scripts, project, {"COMMENTS": "", "REFUSED": "0", **variables})


@pytest.mark.parametrize(
    ("variables", "request_line"),
    [
        (GITHUB, "--method POST repos/o/r/issues/5/comments"),
        ({**GITHUB, "COMMENTS": "7\n8"}, "--method PATCH repos/o/r/issues/comments/7"),
        (
            {**GITLAB, "COMMENTS": "[]"},
            "--request POST https://git.example/api/v4/projects/9/merge_requests/5/notes",
        ),
        (
            {**GITLAB, "COMMENTS": NOTES},
            "--request PUT https://git.example/api/v4/projects/9/merge_requests/5/notes/7",
        ),
    ],
    ids=["GitHub, first", "GitHub, later", "GitLab, first", "GitLab, later"],
)
def test_the_summary_is_one_comment(tmp_path: Path, variables: Mapping[str, str], request_line: str) -> None:
    result = comment(tmp_path, variables)
    assert not result.failed, result.output
    assert f" {request_line} " in " ".join(result.calls[-1])
    assert "secret" not in str(result.calls), "other users can read command lines"
    text = (tmp_path / "project" / "build" / "comment.md").read_text(encoding="utf-8")
    assert text == "<!-- fcm-compat -->\n## GO: \u00e9\n"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({**GITHUB, "PULL_REQUEST": ""}, "this run is not about a pull request"),
        ({**GITHUB, "REFUSED": "1"}, "the token may not write to pull requests"),
        ({**GITLAB, "CI_MERGE_REQUEST_IID": ""}, "this pipeline is not about a merge request"),
        ({**GITLAB, "FCM_COMPAT_GITLAB_TOKEN": ""}, "FCM_COMPAT_GITLAB_TOKEN is not set"),
        ({**GITLAB, "COMMENTS": "[]", "REFUSED": "22"}, "GitLab refuses the note"),
        ({}, "this system has no comments that we know of"),
    ],
    ids=["push", "fork", "push at GitLab", "no token", "refused", "elsewhere"],
)
def test_a_summary_that_cannot_be_put_there_is_told(
    tmp_path: Path, variables: Mapping[str, str], reason: str
) -> None:
    result = comment(tmp_path, variables)
    assert not result.failed, result.output
    assert f"no-comment: {reason}; the summary is on the page of this run only" in result.output
