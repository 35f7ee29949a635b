"""Shards run as processes, as in CI; one is cut off, one is late, and one comes twice."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import redis

from ci.commands import gate, merge
from ci.support import allure, suite_process
from fixtures.core.project import ROOT
from fixtures.faults import FAULTS
from fixtures.generation import example_database
from fixtures.platform import redis_server
from fixtures.results import policy_file
from fixtures.targets.embedded import start_process

pytestmark = pytest.mark.process

OF = 2
SLICE = "test_effects"
ENOUGH = replace(
    policy_file.NO_REQUIREMENTS,
    tests=frozenset(test for test in policy_file.read_expected_tests() if f"/{SLICE}.py::" in test),
)
# The gate selects its tests itself, so this program changes its choice.
PROGRAM = """
import sys
from ci.commands import gate
from ci.support import suite_process

suite_process.SELECTION = {{**suite_process.SELECTION, "-k": {only!r}}}
sys.exit(gate.main(sys.argv[1:]))
"""


def run_shard(build: Path, shard: str, run: str, *arguments: str, only: str = SLICE, **environ: str) -> int:
    """The exit code of a gate that runs one shard of the tests that `only` selects."""
    build.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-c",
        PROGRAM.format(only=only),
        "--shard",
        shard,
        "--run",
        run,
        f"--build={build}",
        "-n",
        "1",
    ]
    command += arguments
    with (build.parent / f"{build.name}.log").open("wb") as log:
        return subprocess.run(  # noqa: S603  our own
            command, cwd=ROOT, env={**os.environ, **environ}, stdout=log, stderr=log, check=False, timeout=600
        ).returncode


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folders of all shards of one run."""
    folder = tmp_path_factory.mktemp("shards")
    for number in range(1, OF + 1):
        assert run_shard(folder / str(number), f"{number}/{OF}", "run-2") == 2, "no shard is go by itself"
    return folder


@pytest.fixture
def merged(
    arrived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """What ./ci/merge says of these shards, with a policy that the slice satisfies."""
    monkeypatch.setattr(policy_file, "load_policy", lambda *_, **__: ENOUGH)
    without = "no Allure: it would ask for all cases, whatever the policy"
    monkeypatch.setattr(allure, "generate_pages", lambda *_, **__: without)
    came = tmp_path / "came"
    shutil.copytree(arrived, came)

    def run_merge(change: Callable[[Path], object] = lambda _: None) -> tuple[int, dict[str, Any]]:
        change(came)
        exit_status = merge.main(["--run", "run-2", f"--build={tmp_path}/build", str(came)])
        text = (tmp_path / "build" / "verdict.json").read_text(encoding="utf-8")
        return exit_status, json.loads(text)

    return run_merge


def test_the_shards_are_one_run(merged: Any, tmp_path: Path) -> None:
    exit_status, verdict = merged()
    assert (exit_status, verdict["verdict"], verdict["reasons"]) == (0, "go", [])
    lines = [json.loads(line) for line in (tmp_path / "build" / "ledger.jsonl").read_text().splitlines()]
    tests = [line["test"] for line in lines if line["kind"] == "test"]
    assert len(tests) == len(set(tests)) == lines[0]["collected"] == lines[-1]["tests"]
    ctrf = json.loads((tmp_path / "build" / "report" / "exports" / "ctrf.json").read_text(encoding="utf-8"))
    ids = [result["extra"]["test"] for result in ctrf["results"]["tests"]]
    assert sorted(test for test in ids if not test.startswith("did not run")) == sorted(tests)
    assert f"shard 2/{OF}" not in (tmp_path / "build" / "junit.xml").read_text(encoding="utf-8")
    assert (tmp_path / "build" / "report" / "index.html").is_file()
    durations = json.loads((tmp_path / "build" / "history" / "durations.json").read_text(encoding="utf-8"))
    assert set(durations) == set(tests)


def collect(hash_seed: int, *options: str) -> list[str]:
    """The tests of the compat suites that pytest collects for one shard of the gate."""
    selection = ["suites/compat", *chain.from_iterable(suite_process.SELECTION.items())]
    command = [*suite_process.pytest_command(selection), "--collect-only", "-q"]
    process = subprocess.run(  # noqa: S603  our own
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return [line for line in process.stdout.splitlines() if "::" in line]


def test_all_tests_of_the_gate_are_in_one_shard_each_and_the_shards_take_as_long(tmp_path: Path) -> None:
    all_tests = sorted(
        test for test in policy_file.read_expected_tests() if test.startswith("suites/compat/")
    )
    seconds = {
        test: 0.001 + (position % 97) / 10 for position, test in enumerate(all_tests[: -len(all_tests) // 10])
    }
    durations = tmp_path / "durations.json"
    durations.write_text(json.dumps(seconds), encoding="utf-8")
    cuts = [
        collect(number, f"--splits={OF}", f"--group={number}", f"--durations-path={durations}")
        for number in range(1, OF + 1)
    ]
    assert sorted(chain(*cuts)) == all_tests, "disjoint and complete, whatever the seed of hashes"
    average = sum(seconds.values()) / len(seconds)
    shortest, longest = sorted(sum(seconds.get(test, average) for test in cut) for cut in cuts)
    assert longest - shortest <= 2 * max(seconds.values())


def test_a_killed_shard_leaves_the_run_undecided(merged: Any) -> None:
    def change(came: Path) -> None:
        ledger = came / "2" / "ledger.jsonl"
        ledger.write_text(ledger.read_text(encoding="utf-8").partition("\n")[0] + "\n", encoding="utf-8")

    exit_status, verdict = merged(change)
    assert (exit_status, verdict["verdict"]) == (2, "undecided")
    text = [reason.split(": ")[:2] for reason in verdict["reasons"]]
    assert [f"shard 2/{OF}", "ledger-without-footer"] in text
    assert any(reason[0] == "shards-incomplete" for reason in text)


def test_a_shard_that_came_twice_leaves_the_run_undecided(merged: Any) -> None:
    exit_status, verdict = merged(lambda came: shutil.copytree(came / "2", came / "again"))
    assert (exit_status, verdict["reasons"]) == (2, [f"shard-doubled: 2/{OF} came 2 times"])


def test_a_shard_of_the_run_before_leaves_the_run_undecided(merged: Any) -> None:
    def change(came: Path) -> None:
        for name in ("ledger.jsonl", "verdict.json"):
            file = came / "2" / name
            file.write_text(file.read_text(encoding="utf-8").replace("run-2", "run-1"), encoding="utf-8")

    exit_status, verdict = merged(change)
    assert exit_status == 2
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == [
        "shard-late",
        "shard-missing",
        "shards-incomplete",
        "too-few-tests",
    ]


def test_nothing_that_came_is_undecided(merged: Any) -> None:
    exit_status, verdict = merged(shutil.rmtree)
    assert exit_status == 2
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == ["no-ledger", "no-shards"]


# --- what one shard finds, all others know


@pytest.mark.nightly
def test_a_shard_tells_the_others_what_failed(tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "unregistered-only-with-not-found")
    build = tmp_path / "1"
    with start_process("fixtures.faults", fault.name) as (other,), redis_server.run_redis() as url:
        target = f"--target={fault.service}={other['url']}"
        # Few answers have the code without the status NOT_FOUND.
        options = (target, f"--known-failures={url}", "--examples=20")
        assert (
            run_shard(build, "1/1", "r", *options, only=f"compat and v1-UNREGISTERED and {fault.service}")
            == 1
        )
        with redis.Redis.from_url(url) as server:
            learned = list(server.scan_iter())
    assert learned
    assert all(key.startswith(b"fcm-compat:deployments:suites/compat/") for key in learned)
    assert f"known failures: {url}" in (build / "pytest.log").read_text(encoding="utf-8")
    verdict = json.loads((build / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["findings"][0]["reproduce"].startswith(f"{example_database.VARIABLE}={url} ./ci/test ")


@pytest.mark.nightly
def test_nobody_who_knows_is_one_line_and_the_password_stands_nowhere(tmp_path: Path) -> None:
    build = tmp_path / "1"
    nowhere: dict[str, Any] = {example_database.VARIABLE: "redis://user:pass-word@127.0.0.1:1/0"}
    assert run_shard(build, f"1/{OF}", "r", **nowhere) == 2
    text = (tmp_path / "1.log").read_text(encoding="utf-8")
    assert text.count("known-failures-unreachable: redis://***@127.0.0.1:1/0: ") == 1
    verdict = json.loads((build / "verdict.json").read_text(encoding="utf-8"))
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == ["one-shard"]
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in written if b"pass-word" in file.read_bytes()]


@pytest.fixture
def _of_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FCM_COMPAT_RUN", raising=False)


USAGE = {
    "no such shard": (["--shard", "9/8", "--run", "r"], "bad-shard"),
    "no run": (["--shard", "1/8"], "no-run"),
    "bad durations": (["--shard", "1/8", "--run", "r", "--durations", "README.md"], "bad-durations"),
    "no such durations": (["--shard", "1/8", "--run", "r", "--durations", "nofile"], "no-durations"),
    "durations of no shard": (["--durations", "README.md"], "unused-durations"),
    "no server": (["--known-failures", "http://user:pass-word@localhost"], "bad-known-failures"),
}


@pytest.mark.usefixtures("_of_no_run")
@pytest.mark.parametrize(("arguments", "slug"), USAGE.values(), ids=USAGE)
def test_wrong_usage_of_shards_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], slug: str
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        gate.main([*arguments, f"--build={tmp_path}"])
    text = capsys.readouterr().err
    assert (exit_info.value.code, text.partition(":")[0]) == (64, slug)
    assert "next:" in text
    assert "pass-word" not in text


@pytest.mark.usefixtures("_of_no_run")
@pytest.mark.parametrize(
    "arguments", [["DIR"], ["--run", "r"], ["--run", "r", "build", "--build", "build/x"]]
)
def test_wrong_usage_of_the_merge_is_no_verdict(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        merge.main(arguments)
    assert exit_info.value.code == 64
