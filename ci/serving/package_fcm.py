"""An FCM on loopback that gives a push package the answer of each report, and the package's own process."""

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fixtures.core.errors import UserError
from fixtures.core.topology import PROTOCOLS
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.https import HttpsOptions
from fixtures.platform.fcm.legacy import multicast
from fixtures.platform.fcm.messages import FcmAnswer
from fixtures.platform.fcm.rules import DEVICES, Rule, RuleSet
from fixtures.platform.fcm.server import EmulatorServer
from fixtures.platform.fcm.service_account import create_service_account
from fixtures.services.http_server import bind_port
from fixtures.targets.adapters.code import Answer, AnswerHandler, Subscriber

RUNNER = Path(__file__).with_name("package_runner.py")
START_TIMEOUT_S = 10.0
MOST_REQUESTS = 20  # with one token; then FCM resets connections, because some packages send again for ever
RESET = FcmAnswer(HTTPStatus.SERVICE_UNAVAILABLE, fault="reset")
# Statuses whose answers have no body, and those that announce another answer: HTTP cannot carry the report.
NOT_SENT = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def is_result(answer: Answer) -> bool:
    """Whether an answer is an entry of `results`, as a multicast has one for each token."""
    is_legacy = answer["protocol"] == "legacy"
    return is_legacy and answer["status"] == HTTPStatus.OK and isinstance(answer["body"], dict)


def is_sendable(answer: Answer) -> bool:
    return answer["status"] >= HTTPStatus.OK and answer["status"] not in NOT_SENT


def create_rule(answer: Answer, token: str) -> Rule:
    """The rule of the emulator that gives a token the answer of a report, as often as it is asked."""
    body, header = answer["body"], answer["retry_after"]
    if answer["protocol"] == "legacy" and isinstance(body, dict) and not is_result(answer):
        body = multicast([body], multicast_id=1)
    # A header's bytes may be no ASCII.
    headers = {} if header is None else {"Retry-After": header.encode().decode("latin-1")}
    fcm_answer = FcmAnswer(answer["status"], body, headers, for_token=is_result(answer))
    return create_device_rule(token, {answer["protocol"]: fcm_answer}, times=MOST_REQUESTS)


def create_device_rule(name: str, answers: Mapping[str, FcmAnswer], times: int | None = None) -> Rule:
    """A rule for the device of this name; an empty name is all devices."""
    return Rule(match={}, kinds=DEVICES, name=name, is_prefix=not name, answers=answers, times=times)


class PackageProcess:
    """The package's own interpreter, in which its adapter runs until the block ends."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  the interpreter that the targets file names
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            step = "write --python as a path that begins at the targets file"
            raise UserError("no-interpreter", repr(command[0]), str(error.strerror), step) from error
        self.is_multicast = bool(self._read()["multicast"])

    def handle(self, pairs: Sequence[tuple[Answer, Subscriber]]) -> list[Any]:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, as reading shows
            self._process.stdin.write(json.dumps(pairs) + "\n")
            self._process.stdin.flush()
        states: list[Any] = self._read()["states"]
        return states

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            step = "its reason stands above; run its interpreter with the adapter's module"
            raise UserError("package-ended", "the package's process", "it ended", step)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def replay_to_package(python: str, folder: Path, adapter: str) -> Iterator[AnswerHandler]:
    """Start FCM and the package. Yields what keeps the subscribers and lets the package handle answers."""
    emulator = Emulator()
    with start_emulator(emulator) as environment:
        process = PackageProcess([python, str(RUNNER), str(folder), adapter], environment)

        def handle(pairs: Sequence[tuple[Answer, Subscriber]]) -> list[Any]:
            if not all(is_sendable(answer) for answer, _ in pairs):
                return [None] * len(pairs)
            rules = [create_rule(answer, subscriber["token"]) for answer, subscriber in pairs]
            last_rule = create_device_rule("", dict.fromkeys(PROTOCOLS, RESET))
            emulator.rules = RuleSet([*rules, last_rule])
            states = process.handle(pairs)
            if any(row["used"] == 0 for row in emulator.rules.to_json()[:-1]):
                problem = f"it did not ask FCM about a token, and its adapter said {states[:3]}"
                step = "let handle send a message to subscriber['token']; HTTPS_PROXY leads to the replay"
                raise UserError("nothing-sent", adapter, problem, step)
            return states

        try:
            yield AnswerHandler(handle, is_result if process.is_multicast else lambda _: False)
        finally:
            process.close()


@contextmanager
def start_emulator(emulator: Emulator) -> Iterator[dict[str, str]]:
    """Serve FCM in a thread. Yields an environment in which HTTPS clients reach it, and nothing else."""
    ready: queue.Queue[dict[str, str]] = queue.Queue()
    sock = bind_port(0)
    with tempfile.TemporaryDirectory(prefix="fcm-compat-") as folder:
        https_options = HttpsOptions(Path(folder, "ca.pem"), bind_port(0), bind_port(0))
        server = EmulatorServer(emulator, sock.getsockname(), https_options, ready.put)
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        urls = ready.get(timeout=START_TIMEOUT_S)
        account = Path(folder, "service-account.json")
        account.write_text(json.dumps(create_service_account(f"{urls['url']}/token")), encoding="utf-8")
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), urls["proxy"])
        trusted = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
        try:
            yield {
                **inherited,
                **proxy,
                **dict.fromkeys(trusted, urls["ca"]),
                "FCM_URL": urls["url"],
                "GOOGLE_APPLICATION_CREDENTIALS": str(account),
            }
        finally:
            server.should_exit = True
            thread.join(START_TIMEOUT_S)
