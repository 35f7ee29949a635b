"""A service is started by its command, watched, and stopped with all its children, whatever happens."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ci.commands import doctor
from fixtures.core.project import ROOT
from fixtures.targets.config import TargetError, read_targets_file
from fixtures.targets.start_config import StartConfig
from fixtures.targets.started import StartedService, StartError, find_free_port, run_services

SENDER = "[environments.e.services.go-sender]\n"
PROVIDER = "[environments.e.services.subscribers-errors]\n"
EMAIL = "jane.doe@example.com"
PARENT = "import subprocess, sys, time\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
SERVER = """
import http.server, sys
print("serving {secret}", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def run_code(code: str, *arguments: str, **members: object) -> StartConfig:
    return StartConfig(command=(sys.executable, "-c", code, *arguments), **members)  # type: ignore[arg-type]


def is_running(process: int) -> bool:
    """Whether a process runs; one that has ended and is still listed does not."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def await_end(process: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(process)


def read_child(log: Path) -> int:
    """The process that the service has started, once the log names it."""
    deadline = time.monotonic() + 10
    while not (log.exists() and log.read_text(encoding="utf-8")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return int(log.read_text(encoding="utf-8").split()[0])


def test_a_service_runs_until_it_is_stopped_and_its_log_is_redacted(tmp_path: Path) -> None:
    config = run_code(SERVER.replace("{secret}", EMAIL), "{port}", ready="http://127.0.0.1:{port}/")
    service = StartedService("go-sender", config, {}, tmp_path)
    service.start()
    service.check()
    service.stop()
    service.start()  # again, at the same port
    service.stop(signal.SIGKILL)
    log = (tmp_path / "go-sender.log").read_text(encoding="utf-8")
    assert log.count("serving") == 2
    assert EMAIL not in log


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param("time.sleep(600)", id="it-obeys"),
        pytest.param("import signal\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)", id="it-does-not"),
        pytest.param("time.sleep(0)", id="it-has-ended"),
    ],
)
def test_children_end_with_their_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    monkeypatch.setattr("fixtures.targets.started.STOP_WITHIN_S", 0.5)
    service = StartedService("go-sender", run_code(PARENT + rest), {}, tmp_path)
    service.start()
    child = read_child(tmp_path / "go-sender.log")
    assert is_running(child)
    service.stop()
    assert await_end(child)


def test_a_service_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, signal, sys
from fixtures.targets.start_config import StartConfig
from fixtures.targets.started import StartedService
config = StartConfig(command=(sys.executable, "-c", {PARENT + "time.sleep(600)"!r}), ready=1)
StartedService("go-sender", config, {{}}, pathlib.Path({str(tmp_path)!r})).start()
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603  our own code
    assert run.returncode == -signal.SIGKILL
    assert await_end(read_child(tmp_path / "go-sender.log"))


@pytest.mark.parametrize(
    ("code", "members", "slug", "problem"),
    [
        pytest.param("print('no FCM', flush=True); exit(3)", {"ready": 5}, "service-exited", "status 3"),
        pytest.param(
            "import time; time.sleep(9)", {"ready": "127.0.0.1:{port}"}, "service-not-ready", "nothing"
        ),
    ],
    ids=["it-exits", "it-is-never-ready"],
)
def test_a_service_that_does_not_start(
    tmp_path: Path, code: str, members: dict[str, object], slug: str, problem: str
) -> None:
    config = run_code(code, **members, ready_within_s=0.3)
    service = StartedService("go-sender", config, {}, tmp_path)
    with pytest.raises(StartError, match=f"{slug}: go-sender: .*{problem}") as raised:
        service.start()
    assert "go-sender.log" in raised.value.next_step


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    service = StartedService("go-sender", StartConfig(command=("./no-such-sender",), ready=5), {}, tmp_path)
    with pytest.raises(StartError, match=r"service-exited.*no-such-sender.*not found"):
        service.start()


def test_a_service_that_ends_later_is_noticed(tmp_path: Path) -> None:
    service = StartedService("go-sender", run_code("import time; time.sleep(0.3)"), {}, tmp_path)
    service.start()
    assert service.process is not None
    service.process.wait(10)
    with pytest.raises(StartError, match="service-exited"):
        service.check()
    service.stop()


def test_a_provider_is_started_at_its_url(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    command = f'["{sys.executable}", "-m", "http.server", "-b", "127.0.0.1", "{{port}}"]'
    file = tmp_path / "targets.toml"
    file.write_text(f'{PROVIDER}url = "{url}"\nstart = {command}', encoding="utf-8")
    deployments, _ = read_targets_file(file, None)
    with run_services(deployments.values(), tmp_path):
        assert httpx.get(url).is_success
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


REFERENCE = "-m fixtures.services.server --service subscribers-errors --version after --port {port}"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "failures"),
    [
        pytest.param(REFERENCE, 0, [], id="it-answers"),
        pytest.param("-c exit('no_database')", 2, ["start"], id="it-exits"),
    ],
)
def test_the_doctor_starts_a_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, exit_code: int, failures: list[str]
) -> None:
    command = json.dumps([sys.executable, *arguments.split()])
    text = f'{PROVIDER}url = "http://127.0.0.1:{find_free_port()}"\nstart = {command}\n'
    file = tmp_path / "targets.toml"
    file.write_text(f'{text}env = {{ PYTHONPATH = "{ROOT}" }}', encoding="utf-8")
    assert doctor.main(["--json", f"--targets={file}", f"--build={tmp_path / 'build'}"]) == exit_code
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["question"] for row in rows if not row["well"]] == failures
    assert ("no_database" in str(rows)) is bool(failures)


WRONG = {
    "an unknown placeholder": (SENDER + 'start = ["a", "{fcm}"]', "unknown-placeholder.*allowed: {fcm_"),
    "one that the service has no use for": (SENDER + 'start = ["a", "{queue_url}"]', "unknown-placeholder"),
    "an unknown placeholder in a variable": (
        SENDER + 'start = ["a"]\nenv = { A = "{fmc_url}" }',
        "{fcm_url}",
    ),
    "an unknown port": (SENDER + "ports = { fmc = 9001 }", "unknown-port.*fcm"),
    "two on one port": (SENDER + "ports = { fcm = 9001, events = 9001 }", "port-twice: 9001: .*fcm.*events"),
    "one at another's port": (
        SENDER + "ports = { fcm = 9001 }\n" + PROVIDER + 'url = "http://127.0.0.1:9001"',
        "port-twice: 9001: .*subscribers-errors.url",
    ),
    "a provider without a URL": (PROVIDER + 'start = ["a"]', "start-without-url"),
    "a provider elsewhere": (PROVIDER + 'url = "https://a.example"\nstart = ["a"]', "start-without-url"),
    "a variable without a command": (SENDER + "ports = { fcm = 1 }\nenv = { A = 'b' }", "bad-targets-file"),
    "neither a command nor ports": (SENDER + "timeout_s = 1", "bad-targets-file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_start_is_refused(tmp_path: Path, name: str) -> None:
    text, message = WRONG[name]
    (tmp_path / "targets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TargetError, match=message):
        read_targets_file(tmp_path / "targets.toml", None)
