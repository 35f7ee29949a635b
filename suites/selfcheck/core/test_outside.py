"""What comes from outside loses its secrets and its control characters at the moment it enters."""

from collections.abc import Callable, Mapping

import pytest
import redis
from botocore.exceptions import ClientError

from fixtures.contracts.broker.client import BrokerError
from fixtures.core.errors import UserError
from fixtures.core.outside import quote_end, quote_outside
from fixtures.core.plain_text import to_line
from fixtures.platform.redis_container import translate_redis_errors
from fixtures.platform.sqs import QueueError, translate_sqs_errors
from fixtures.targets.config import TargetError
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.http import NoResponse, RawResponse
from fixtures.targets.provisioning import provisioners
from fixtures.targets.provisioning.config import ProvisioningError
from suites.selfcheck.core.canaries import SHAPED, all_sentences, find_canaries

ROWS = [{"subscriber_id": "s", "token": "t"}]
LEAKED = " ".join(all_sentences(SHAPED))

FAILING_FUNCTION = f"python:{__name__}:fail_in_function"


def test_a_secret_at_the_cut_of_an_end_is_masked_before_the_cut() -> None:
    text = f"Authorization: Bearer {'s3cret' * 20} and {'words ' * 40}"
    assert "s3cret" not in quote_end(text.encode())
    assert quote_end(text.encode()).endswith("words")


def refuse(*_: object) -> RawResponse:
    return RawResponse(status=500, headers={}, content=LEAKED.encode())


def fail_in_function(*_: object) -> None:
    raise RuntimeError(LEAKED)


def remove_by(backend: provisioners.ProvisioningBackend) -> Callable[[], None]:
    return lambda: backend.change_subscribers("teardown", ROWS)


def lose_connection() -> None:
    raise NoResponse(LEAKED)


def fail_in_redis() -> None:
    with translate_redis_errors(redis.Redis()):
        raise redis.ResponseError(LEAKED)


def fail_in_sqs() -> None:
    with translate_sqs_errors("https://sqs.example/queue"):
        raise ClientError({"Error": {"Message": LEAKED}}, "SendMessage")


REQUEST = {"setup": {"method": "POST", "path": f"/{SHAPED['IMEI']}/{{subscriber_id}}"}}
ENTRANCES: Mapping[str, Callable[[], None]] = {
    "request": remove_by(provisioners.http_backend(REQUEST, refuse)),
    "provider state": remove_by(provisioners.service_backend(refuse)),
    "function": remove_by(provisioners.function_backend(FAILING_FUNCTION, HostDenyList())),
    "HTTP": lose_connection,
    "Redis": fail_in_redis,
    "SQS": fail_in_sqs,
}


@pytest.mark.parametrize("enter", ENTRANCES.values(), ids=ENTRANCES)
def test_an_error_that_quotes_an_answer_tells_no_secret(enter: Callable[[], None]) -> None:
    with pytest.raises((UserError, NoResponse)) as raised:
        enter()
    assert find_canaries("", str(raised.value)) == []
    assert "was refused" in str(raised.value)


@pytest.mark.parametrize("error", [TargetError, ProvisioningError, QueueError, BrokerError])
def test_an_error_about_a_server_masks_what_it_is_given(error: type[UserError]) -> None:
    assert find_canaries("", str(error("states-refused", LEAKED, LEAKED, "ask it by hand"))) == []


def test_a_secret_at_the_end_of_a_quote_is_masked_before_it_is_cut() -> None:
    for length in range(40):
        assert "grace.hopper" not in quote_outside(f"{'x ' * 5}{SHAPED['e-mail address']}", length)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\n::add-mask::b\x85c\u2028d", "a ::add-mask::b c d"),
        ("\x1b[2J\x1b]0;x\x07\x9b1m", r"\u001b[2J\u001b]0;x\u0007\u009b1m"),
        ("\u202e3 :og\u2066\u200b", r"\u202e3 :og\u2066\u200b"),
        ("half \ud83d of", r"half \ud83d of"),
        ("=== GO ===", "= = = GO = = ="),
        ("##[error]x ##vso[task.complete]", "# #[error]x # #vso[task.complete]"),
        ("Grüße 消息 ✅ a == b # 1", "Grüße 消息 ✅ a == b # 1"),
    ],
)
def test_a_line_is_only_text(text: str, line: str) -> None:
    assert to_line(text) == line
