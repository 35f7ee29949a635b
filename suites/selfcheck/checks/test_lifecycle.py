"""The lifecycle model follows what arrives, and its checks find each subscriber that differs from it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import LATENESS_ALLOWED_S
from fixtures.checks.lifecycle import (
    ExpectedPush,
    LifecycleModel,
    SubscriberModel,
    every_push_has_ended,
    every_wait_has_ended,
    subscribers_are_in_expected_state,
)
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.outcome import PushResult

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SENT = SINCE + timedelta(hours=1)
UNTIL = SENT + timedelta(seconds=10)
DEAD, BUSY, RENEWED, FINE = map(
    load_catalogue().__getitem__,
    ("legacy-NotRegistered", "legacy-Unavailable", "legacy-canonical-id", "legacy-delivered"),
)
PUSH = ("m1", "a")
ACTIVE = SubscriberModel("token", SINCE)
HELD = replace(ACTIVE, until=UNTIL, until_limits=(UNTIL, SENT + timedelta(seconds=600)))


def make_push(case: Case, *, token: str = "token", sent_at: datetime | None = SENT) -> ExpectedPush:  # noqa: S107
    """A push, and an answer of FCM with a wait of ten seconds or with the token "new-token"."""
    return ExpectedPush(token, case, example_report(case), sent_at)


def model_after(case: Case, life: SubscriberModel = ACTIVE, **push: Any) -> LifecycleModel:
    """The model of a subscriber after the error of one push."""
    model = LifecycleModel(subscribers={"a": life}, pushes={PUSH: make_push(case, **push)})
    model.handle_error(PUSH, SENT)
    return model


# --- the model


def test_a_life_begins_with_nothing() -> None:
    model = LifecycleModel()
    assert (model.subscribers, model.pushes, model.handled, model.waits) == ({}, {}, set(), set())
    assert SubscriberModel("token", SINCE) == SubscriberModel("token", SINCE, unsubscribed=False, until=None)
    assert ExpectedPush("token", FINE, {}) == ExpectedPush("token", FINE, {}, sent_at=None)


@pytest.mark.parametrize(
    ("life", "at", "status"),
    [
        pytest.param(ACTIVE, SENT, "active", id="nothing happened"),
        pytest.param(HELD, UNTIL - timedelta(seconds=1), "postponed", id="a wait that lasts"),
        pytest.param(HELD, UNTIL, "active", id="a wait that is over"),
        pytest.param(replace(HELD, unsubscribed=True), SENT, "unsubscribed", id="unsubscribed for ever"),
    ],
)
def test_a_status_is_as_of_a_moment(life: SubscriberModel, at: datetime, status: str) -> None:
    assert life.status_at(at) == status


@pytest.mark.parametrize(
    ("case", "after"),
    [
        pytest.param(DEAD, replace(ACTIVE, unsubscribed=True), id="unsubscribe"),
        pytest.param(BUSY, HELD, id="postpone"),
        pytest.param(RENEWED, SubscriberModel("new-token", SENT), id="replace_token"),
        pytest.param(FINE, ACTIVE, id="keep"),
        pytest.param(load_catalogue()["v1-unknown-code"], ACTIVE, id="alert"),
    ],
)
def test_what_is_heard_changes_a_life_as_the_catalogue_says(case: Case, after: SubscriberModel) -> None:
    model = model_after(case)
    assert model.subscribers == {"a": after}
    assert model.handled == {PUSH}
    assert model.waits == ({UNTIL} if case is BUSY else set())


@pytest.mark.parametrize(
    ("life", "push"),
    [
        pytest.param(ACTIVE, {"token": "another"}, id="about another token"),
        pytest.param(replace(ACTIVE, since=SENT + timedelta(seconds=1)), {}, id="from before the token"),
        pytest.param(replace(ACTIVE, unsubscribed=True), {}, id="to an unsubscribed one"),
    ],
)
@pytest.mark.parametrize("case", [DEAD, BUSY, RENEWED], ids=lambda case: case.outcome)
def test_what_is_stale_changes_nothing(life: SubscriberModel, push: Mapping[str, Any], case: Case) -> None:
    model = model_after(case, life, **push)
    assert (model.subscribers, model.waits) == ({"a": life}, set())


def test_what_is_as_old_as_the_token_is_not_stale() -> None:
    assert model_after(DEAD, replace(ACTIVE, since=SENT)).subscribers["a"].unsubscribed


def test_a_wait_until_a_date_is_counted_from_when_the_push_was_sent() -> None:
    push = make_push(BUSY)
    push = replace(push, answer={**push.answer, "retry_after": "Thu, 01 Jan 2026 01:30:00 GMT"})
    model = LifecycleModel(subscribers={"a": ACTIVE}, pushes={PUSH: push})
    model.handle_error(PUSH, SENT)
    assert model.subscribers["a"].until == SENT + timedelta(minutes=30)


def test_a_wait_may_last_longest_from_the_arrival_of_its_error() -> None:
    model = LifecycleModel(subscribers={"a": ACTIVE}, pushes={PUSH: make_push(BUSY)})
    model.handle_error(PUSH, SENT + timedelta(minutes=15))
    assert model.subscribers["a"].until_limits == (UNTIL, SENT + timedelta(minutes=25))


def test_what_is_heard_again_changes_nothing() -> None:
    model = model_after(BUSY)
    model.subscribers["a"] = ACTIVE
    model.handle_error(PUSH, SENT)
    assert model.subscribers["a"] == ACTIVE


def test_the_longer_wait_holds_and_both_are_remembered() -> None:
    for first, second in (("m1", "m2"), ("m2", "m1")):
        later = SENT + timedelta(seconds=5)
        pushes = {("m1", "a"): make_push(BUSY), ("m2", "a"): make_push(BUSY, sent_at=later)}
        model = LifecycleModel(subscribers={"a": ACTIVE}, pushes=pushes)
        model.handle_error((first, "a"), SENT)
        model.handle_error((second, "a"), SENT)
        assert model.subscribers["a"].until == UNTIL + timedelta(seconds=5)
        assert model.waits == {UNTIL, UNTIL + timedelta(seconds=5)}


def test_the_first_report_says_when_a_push_was_sent() -> None:
    model = LifecycleModel(subscribers={"a": ACTIVE}, pushes={PUSH: make_push(DEAD, sent_at=None)})
    for sent_at in ("2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00.000Z"):
        model.record_report({"message_id": "m1", "subscriber_id": "a", "sent_at": sent_at})
        assert model.pushes[PUSH] == make_push(DEAD)


# --- the checks


def state_of(status: str | None, token: str = "token") -> dict[str, Any]:  # noqa: S107
    return {"status": status, "token": token}


STATES: Mapping[str, tuple[SubscriberModel, Mapping[str, Any], datetime, bool]] = {
    "as must be": (ACTIVE, state_of("active"), SENT, True),
    "held back": (HELD, state_of("postponed"), SENT, True),
    "a wait about to end": (HELD, state_of("postponed"), UNTIL, True),
    "unsubscribed, with any token": (
        replace(ACTIVE, unsubscribed=True),
        state_of("unsubscribed", "gone"),
        SENT,
        True,
    ),
    "forgotten": (ACTIVE, {}, SENT, False),
    "not held back": (HELD, state_of("active"), SENT, False),
    "held back for nothing": (ACTIVE, state_of("postponed"), SENT, False),
    "unsubscribed for nothing": (HELD, state_of("unsubscribed"), UNTIL, False),
    "kept": (replace(ACTIVE, unsubscribed=True), state_of("active"), SENT, False),
    "another token": (ACTIVE, state_of("active", "old"), SENT, False),
    "another token, a wait about to end": (HELD, state_of("postponed", "old"), UNTIL, False),
}


def assert_judged(findings: list[Finding], snapshot: SnapshotAssertion, *, fine: bool) -> None:
    """There is no finding if `fine`, else the one of the snapshot."""
    assert len(findings) == (0 if fine else 1)
    assert [finding.to_json() for finding in findings] == snapshot


@pytest.mark.parametrize(("life", "state", "at", "fine"), STATES.values(), ids=STATES)
def test_everybody_is_judged_as_of_a_moment(
    life: SubscriberModel, state: Mapping[str, Any], at: datetime, snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(subscribers={"other": ACTIVE, "a": life})
    states = {"other": state_of("active"), **({"a": state} if state else {})}
    findings = subscribers_are_in_expected_state("world", iter(["a step"]), model, states, at)
    assert_judged(list(findings), snapshot, fine=fine)


WAITS: Mapping[str, tuple[SubscriberModel, Mapping[str, Any], float, bool]] = {
    "still lasts": (HELD, state_of("postponed"), -1, True),
    "over, and ended": (HELD, state_of("active"), LATENESS_ALLOWED_S, True),
    "over, and a little late": (HELD, state_of("postponed"), LATENESS_ALLOWED_S - 0.001, True),
    "over, and too late": (HELD, state_of("postponed"), LATENESS_ALLOWED_S, False),
    "never there": (ACTIVE, state_of("postponed"), LATENESS_ALLOWED_S, False),
    "of a forgotten one": (HELD, {}, LATENESS_ALLOWED_S, True),
    "of an unsubscribed one": (
        replace(HELD, unsubscribed=True),
        state_of("postponed"),
        LATENESS_ALLOWED_S,
        True,
    ),
}


@pytest.mark.parametrize(("life", "state", "late_s", "fine"), WAITS.values(), ids=WAITS)
def test_a_wait_may_end_a_little_late(
    life: SubscriberModel, state: Mapping[str, Any], late_s: float, snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(subscribers={"gone": HELD, "a": life})
    findings = every_wait_has_ended(
        "world", ["a step"], model, {"a": state}, UNTIL + timedelta(seconds=late_s)
    )
    assert_judged(list(findings), snapshot, fine=fine)


def make_result(case: Case, **members: Any) -> PushResult:
    response = {"code": case.code, "outcome": case.outcome, "report_id": "r1"}
    actions = () if case.outcome == "keep" else (case.outcome,)
    return replace(PushResult("r1", 1, response, actions, None), **members)


ENDS: Mapping[str, tuple[Case, Callable[[Case], PushResult], bool]] = {
    "delivered": (FINE, make_result, True),
    "an error": (DEAD, make_result, True),
    "an error that came too late": (DEAD, lambda case: make_result(case, actions=("stale",)), True),
    "a stale success": (FINE, lambda case: make_result(case, actions=("stale",)), False),
    "not reported": (DEAD, lambda case: make_result(case, reports=0), False),
    "not stored": (DEAD, lambda case: make_result(case, response=None), False),
    "another code": (FINE, lambda case: make_result(case, response={"code": "x", "outcome": "keep"}), False),
    "another outcome": (FINE, lambda case: make_result(case, response={"code": "OK", "outcome": "x"}), False),
    "no action": (BUSY, lambda case: make_result(case, actions=()), False),
    "two actions": (BUSY, lambda case: make_result(case, actions=("postpone", "stale")), False),
}


@pytest.mark.parametrize(("case", "ends", "fine"), ENDS.values(), ids=ENDS)
def test_every_push_ends_once(
    case: Case, ends: Callable[[Case], PushResult], snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(pushes={("m0", "a"): make_push(FINE), PUSH: make_push(case)})
    findings = every_push_has_ended(
        "world", ["a step"], model, {("m0", "a"): make_result(FINE), PUSH: ends(case)}
    )
    assert_judged(list(findings), snapshot, fine=fine)
