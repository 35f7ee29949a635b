"""How a test uses the fixture: as an address, through the proxy, and with rules of its own."""

import json
import ssl
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import pytest
from fcm_emulator import FcmEmulator


@pytest.fixture(scope="session")
def fcm_emulator_options() -> list[str]:
    """Only one credential is right."""
    return ["--bearer", "any"]


def send(emulator: FcmEmulator, message: dict[str, object], *, by_proxy: bool = False) -> int:
    """The status of the answer to a message."""
    address = "https://fcm.googleapis.com" if by_proxy else emulator.url
    body = json.dumps({"message": message}).encode()
    request = Request(f"{address}/v1/projects/demo/messages:send", body, {"Authorization": "Bearer any"})  # noqa: S310
    proxies = {"https": emulator.environment["HTTPS_PROXY"]} if by_proxy else {}
    context = ssl.create_default_context(cafile=emulator.environment["SSL_CERT_FILE"])
    try:
        with build_opener(ProxyHandler(proxies), HTTPSHandler(context=context)).open(request) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code


def test_a_token_or_a_rule_asks_for_an_answer(fcm_emulator: FcmEmulator) -> None:
    fcm_emulator.script({"match": {"topic": "news"}, "case": "v1-QUOTA_EXCEEDED", "times": 1})
    assert send(fcm_emulator, {"fid": "case/v1-UNREGISTERED/x"}, by_proxy=True) == 404
    assert [send(fcm_emulator, {"topic": "news"}) for _ in range(2)] == [429, 200]
    assert [row["target_kind"] for row in fcm_emulator.requests()] == ["fid", "topic", "topic"]


def test_nothing_is_left_of_an_earlier_test(fcm_emulator: FcmEmulator) -> None:
    assert fcm_emulator.requests() == []
    assert send(fcm_emulator, {"topic": "news"}) == 200


def test_a_rule_that_can_never_apply_is_refused(fcm_emulator: FcmEmulator) -> None:
    with pytest.raises(ValueError, match="unreachable-rule"):
        fcm_emulator.script({}, {"match": {"token": "x"}})


def test_the_emulator_is_a_process_of_its_own(fcm_emulator_process: FcmEmulator) -> None:
    assert fcm_emulator_process.url.startswith("http://127.0.0.1:")
    assert Path(fcm_emulator_process.ca).stat().st_size > 0
