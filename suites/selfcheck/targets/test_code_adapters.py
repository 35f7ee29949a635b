"""A deployment may be reached by code: by a Python class, by a handler of FCM's answers, or by a program."""

import contextlib
import json
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ci.commands import doctor
from fixtures.core.payloads import IdFactory
from fixtures.targets.cleanup import clean_up
from fixtures.targets.config import TargetError
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, DeploymentKey, Inventory
from fixtures.targets.selection import resolve_deployments
from suites.selfcheck.targets.test_own_wire import connect_to, find_problems

# A package that raises its errors, behind an adapter that only says what it does.
HANDLER = """\
    from suites.selfcheck.second_opinion import decisions, reports

    class TryLater(Exception):
        pass

    class Handler:
        def handle(self, answer, subscriber):
            report = {
                "http_status": answer["status"], "response": answer["body"], "protocol": answer["protocol"],
                "retry_after": answer["retry_after"], "sent_at": answer["sent_at"],
            }
            match decisions.decide(report).outcome:
                case "unsubscribe":
                    return "gone"
                case "postpone":
                    raise TryLater
                case "replace_token":
                    return {"token": answer["body"]["registration_id"]}
"""
PLATFORM = """\
    class Platform:
        def __init__(self):
            self.users = {}

        def subscribe(self, subscribers):
            for row in subscribers:
                self.users[row["subscriber_id"]] = {"status": "active", "token": row["token"]}

        def reset(self, subscribers):
            for row in subscribers:
                del self.users[row["subscriber_id"]]

        def unsubscribe(self, subscribers):
            for row in subscribers:
                self.users[row["subscriber_id"]]["status"] = "unsubscribed"

        def look(self, ids):
            return {name: self.users.get(name) for name in ids}

        def deliver(self, reports):
            for report in reports:
                user = self.users[report["subscriber_id"]]
                error = report["response"].get("error") if isinstance(report["response"], dict) else None
                if error in ("NotRegistered", "InvalidRegistration"):
                    user["status"] = "unsubscribed"
                elif not error and isinstance(report["response"], dict):
                    user["token"] = report["response"].get("registration_id", user["token"])
"""
PROGRAM = f"""\
    #!{sys.executable}
    import json, sys
    {textwrap.indent(textwrap.dedent(PLATFORM), "    ").lstrip()}
    platform = Platform()
    for line in sys.stdin:
        request = json.loads(line)
        argument = request.get("subscribers", request.get("reports", request.get("ids")))
        answer = getattr(platform, request["do"])(argument)
        print(json.dumps({{"subscribers": answer}} if request["do"] == "look" else {{}}), flush=True)
"""
ONLY_LEGACY = 'judge = { protocols = ["legacy"], promises = ["unsubscribe", "replace_token"] }'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a targets file, and of the modules that it names."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("own_handler", "own_platform", "wrong_platform", "empty_adapter"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def write_targets(folder: Path, adapter: str, *lines: str) -> Path:
    file = folder / "targets.toml"
    rows = ["[environments.e.services.subscribers-errors]", f"adapter = {adapter}", *lines]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def write_module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")


def write_program(folder: Path, text: str) -> None:
    program = folder / "adapter"
    program.write_text(textwrap.dedent(text), encoding="utf-8")
    program.chmod(0o755)


def test_a_handler_of_answers_is_enough_for_a_package(folder: Path) -> None:
    write_module(folder, "own_handler", HANDLER)
    values = 'values = { active = ["active"], unsubscribed = ["gone"], postponed = ["raises TryLater"] }'
    promises = 'judge = { promises = ["unsubscribe", "postpone", "replace_token"] }'
    assert find_problems(write_targets(folder, '"python:own_handler:Handler"', values, promises)) == []


def test_an_error_that_is_not_named_is_no_verdict(folder: Path) -> None:
    write_module(folder, "own_handler", HANDLER)
    values = 'values = { active = ["active"], unsubscribed = ["gone"] }'
    with pytest.raises(TargetError, match="unknown-value: 'raises TryLater'"):
        find_problems(write_targets(folder, '"python:own_handler:Handler"', values, ONLY_LEGACY))


def test_a_class_is_judged(folder: Path) -> None:
    write_module(folder, "own_platform", PLATFORM)
    assert find_problems(write_targets(folder, '"python:own_platform:Platform"', ONLY_LEGACY)) == []


def test_a_program_is_judged(folder: Path) -> None:
    write_program(folder, PROGRAM)
    assert find_problems(write_targets(folder, '["./adapter"]', ONLY_LEGACY)) == []


def test_what_code_does_wrong_is_found(folder: Path) -> None:
    write_module(folder, "wrong_platform", PLATFORM.replace('"InvalidRegistration"', '"Unavailable"'))
    problems = find_problems(write_targets(folder, '"python:wrong_platform:Platform"', ONLY_LEGACY))
    assert {problem.partition(" ")[2] for problem in problems} == {
        "legacy-InvalidRegistration",
        "legacy-Unavailable",
    }


@pytest.mark.parametrize(
    ("adapter", "problem"),
    [
        ('"python:no_such_module:Platform"', "no-adapter: python:no_such_module:Platform: ModuleNotF"),
        ('"python:empty_adapter:Empty"', "no-adapter: python:empty_adapter:Empty: it has no subsc"),
        ('["./nothing"]', "adapter-not-started: ./nothing: No such file"),
        ('["./adapter"]', "it ended during look; it exited with 3; its last words: 'oh no'"),
    ],
)  # fmt: skip
def test_code_that_cannot_run_is_refused_by_name(folder: Path, adapter: str, problem: str) -> None:
    write_module(folder, "empty_adapter", "class Empty: pass")
    write_program(folder, "#!/bin/sh\nread line\necho oh no >&2\nexit 3\n")
    with pytest.raises(TargetError) as error, connect_to(write_targets(folder, adapter)):
        pass
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("echo nonsense", "its answer to look is none: 'nonsense'"),
        ("echo '{\"subscribers\": []}'", "its answer to look is none"),
        ("sleep 60", "look ended with TimeoutError: no whole answer within 0.5 s"),
    ],
)
def test_a_program_that_answers_badly_or_late_is_no_verdict(folder: Path, answer: str, problem: str) -> None:
    write_program(folder, f"#!/bin/sh\nread line\n{answer}\n")
    file = write_targets(folder, '["./adapter"]', "timeout_s = 0.5")
    with pytest.raises(TargetError) as error, connect_to(file):
        pass
    assert problem in str(error.value)


def test_a_late_answer_is_not_taken_for_the_next_one(folder: Path) -> None:
    write_program(folder, "#!/bin/sh\nread line\nsleep 0.6\necho '{}'\nread line\necho '{}'\n")
    file = write_targets(folder, '["./adapter"]', "timeout_s = 0.3")
    deployment = resolve_deployments([], str(file), None, [])["subscribers-errors"]
    with contextlib.closing(connect_deployment(deployment)) as client:
        for pause_s in (0, 0.5):
            time.sleep(pause_s)
            with pytest.raises(TargetError, match="look ended with TimeoutError"):
                client.send("GET", f"/v1/subscribers?id={IdFactory().next()[2]}")


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    return False


def test_a_program_and_its_children_end_with_the_run(folder: Path) -> None:
    child = (
        "import subprocess\n    open('child', 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\n    "
    )
    write_program(folder, PROGRAM.replace("platform = Platform()", f"{child}platform = Platform()"))
    with connect_to(write_targets(folder, '["./adapter"]', ONLY_LEGACY)):
        pid = int((folder / "child").read_text(encoding="utf-8"))
        assert is_running(pid)
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(pid)


def test_a_subscriber_that_code_cannot_remove_is_noted(folder: Path) -> None:
    write_module(folder, "own_platform", PLATFORM)
    file = write_targets(folder, '"python:own_platform:Platform"', ONLY_LEGACY)
    deployed = resolve_deployments([], str(file), None, [])
    inventory = Inventory(folder / INVENTORY_FILE)
    (service, deployment), *_ = deployed.items()
    key = DeploymentKey(service, deployment.url, deployment.environment)
    inventory.add(key, [{"subscriber_id": IdFactory().next()[2]}])
    (failure,) = clean_up(folder, inventory, deployed)
    assert failure.why.startswith("adapter-failed: python:own_platform:Platform: reset ended with KeyError")


def test_the_doctor_tries_each_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_program(folder, PROGRAM)
    file = write_targets(folder, '["./adapter"]', ONLY_LEGACY, "can_unsubscribe = true")
    assert doctor.main([f"--targets={file}", f"--build={folder / 'build'}", "--json"]) == 0
    answers = {row["question"]: row["said"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert answers["by hand"] == "one that is unsubscribed by hand is shown so"
    assert answers["deliver"].startswith("deliver of ./adapter with {")
    assert '"status":"unsubscribed"' in answers["observation"]
