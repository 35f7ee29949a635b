"""The model of lives follows what arrives, and its checks tell each life that went otherwise."""

from __future__ import annotations

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
HELD = replace(ACTIVE, until=UNTIL)


def expected(case: Case, *, token: str = "token", sent_at: datetime | None = SENT) -> ExpectedPush:  # noqa: S107
    """A push and what FCM answers to it: a wait of ten seconds, or "new-token"."""
    return ExpectedPush(token, case, example_report(case), sent_at)


def lived(case: Case, life: SubscriberModel = ACTIVE, **push: Any) -> LifecycleModel:
    """Somebody whose push ended so, and who has heard of it."""
    model = LifecycleModel(subscribers={"a": life}, pushes={PUSH: expected(case, **push)})
    model.handle_error(PUSH)
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
    model = lived(case)
    assert model.subscribers == {"a": after}
    assert model.handled == {PUSH}
    assert model.waits == ({UNTIL} if case is BUSY else set())


@pytest.mark.parametrize(
    ("life", "push"),
    [
        pytest.param(ACTIVE, {"token": "another"}, id="about another token"),
        pytest.param(replace(ACTIVE, since=SENT + timedelta(seconds=1)), {}, id="from before the token"),
        pytest.param(replace(ACTIVE, unsubscribed=True), {}, id="to nobody any more"),
    ],
)
@pytest.mark.parametrize("case", [DEAD, BUSY, RENEWED], ids=lambda case: case.outcome)
def test_what_is_stale_changes_nothing(life: SubscriberModel, push: Mapping[str, Any], case: Case) -> None:
    model = lived(case, life, **push)
    assert (model.subscribers, model.waits) == ({"a": life}, set())


def test_what_is_as_old_as_the_token_is_not_stale() -> None:
    assert lived(DEAD, replace(ACTIVE, since=SENT)).subscribers["a"].unsubscribed


def test_a_wait_until_a_date_is_counted_from_when_the_push_was_sent() -> None:
    push = expected(BUSY)
    push = replace(push, answer={**push.answer, "retry_after": "Thu, 01 Jan 2026 01:30:00 GMT"})
    model = LifecycleModel(subscribers={"a": ACTIVE}, pushes={PUSH: push})
    model.handle_error(PUSH)
    assert model.subscribers["a"].until == SENT + timedelta(minutes=30)


def test_what_is_heard_again_changes_nothing() -> None:
    model = lived(BUSY)
    model.subscribers["a"] = ACTIVE
    model.handle_error(PUSH)
    assert model.subscribers["a"] == ACTIVE


def test_the_longer_wait_holds_and_both_are_remembered() -> None:
    for first, second in (("m1", "m2"), ("m2", "m1")):
        later = SENT + timedelta(seconds=5)
        pushes = {("m1", "a"): expected(BUSY), ("m2", "a"): expected(BUSY, sent_at=later)}
        model = LifecycleModel(subscribers={"a": ACTIVE}, pushes=pushes)
        model.handle_error((first, "a"))
        model.handle_error((second, "a"))
        assert model.subscribers["a"].until == UNTIL + timedelta(seconds=5)
        assert model.waits == {UNTIL, UNTIL + timedelta(seconds=5)}


def test_the_first_report_says_when_a_push_was_sent() -> None:
    model = LifecycleModel(subscribers={"a": ACTIVE}, pushes={PUSH: expected(DEAD, sent_at=None)})
    for sent_at in ("2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00.000Z"):
        model.record_report({"message_id": "m1", "subscriber_id": "a", "sent_at": sent_at})
        assert model.pushes[PUSH] == expected(DEAD)


# --- the checks


def seen(status: str | None, token: str = "token") -> dict[str, Any]:  # noqa: S107
    """How somebody is shown."""
    return {"status": status, "token": token}


STATES: Mapping[str, tuple[SubscriberModel, Mapping[str, Any], datetime, bool]] = {
    "as must be": (ACTIVE, seen("active"), SENT, True),
    "held back": (HELD, seen("postponed"), SENT, True),
    "a wait about to end": (HELD, seen("postponed"), UNTIL, True),
    "unsubscribed, with any token": (
        replace(ACTIVE, unsubscribed=True),
        seen("unsubscribed", "gone"),
        SENT,
        True,
    ),
    "forgotten": (ACTIVE, {}, SENT, False),
    "not held back": (HELD, seen("active"), SENT, False),
    "held back for nothing": (ACTIVE, seen("postponed"), SENT, False),
    "unsubscribed for nothing": (HELD, seen("unsubscribed"), UNTIL, False),
    "kept": (replace(ACTIVE, unsubscribed=True), seen("active"), SENT, False),
    "another token": (ACTIVE, seen("active", "old"), SENT, False),
    "another token, a wait about to end": (HELD, seen("postponed", "old"), UNTIL, False),
}


def judged(found: list[Finding], snapshot: SnapshotAssertion, *, fine: bool) -> None:
    """Nothing is found, or one thing, as approved."""
    assert len(found) == (0 if fine else 1)
    assert [finding.to_json() for finding in found] == snapshot


@pytest.mark.parametrize(("life", "state", "at", "fine"), STATES.values(), ids=STATES)
def test_everybody_is_judged_as_of_a_moment(
    life: SubscriberModel, state: Mapping[str, Any], at: datetime, snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(subscribers={"other": ACTIVE, "a": life})
    states = {"other": seen("active"), **({"a": state} if state else {})}
    found = subscribers_are_in_expected_state("world", iter(["a step"]), model, states, at)
    judged(list(found), snapshot, fine=fine)


WAITS: Mapping[str, tuple[SubscriberModel, Mapping[str, Any], float, bool]] = {
    "still lasts": (HELD, seen("postponed"), -1, True),
    "over, and ended": (HELD, seen("active"), LATENESS_ALLOWED_S, True),
    "over, and a little late": (HELD, seen("postponed"), LATENESS_ALLOWED_S - 0.001, True),
    "over, and too late": (HELD, seen("postponed"), LATENESS_ALLOWED_S, False),
    "never there": (ACTIVE, seen("postponed"), LATENESS_ALLOWED_S, False),
    "of somebody forgotten": (HELD, {}, LATENESS_ALLOWED_S, True),
    "of somebody unsubscribed": (
        replace(HELD, unsubscribed=True),
        seen("postponed"),
        LATENESS_ALLOWED_S,
        True,
    ),
}


@pytest.mark.parametrize(("life", "state", "late_s", "fine"), WAITS.values(), ids=WAITS)
def test_a_wait_may_end_a_little_late(
    life: SubscriberModel, state: Mapping[str, Any], late_s: float, snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(subscribers={"gone": HELD, "a": life})
    found = every_wait_has_ended("world", ["a step"], model, {"a": state}, UNTIL + timedelta(seconds=late_s))
    judged(list(found), snapshot, fine=fine)


def fate(case: Case, **members: Any) -> PushResult:
    """The right end of a push, or another."""
    response = {"code": case.code, "outcome": case.outcome, "report_id": "r1"}
    actions = () if case.outcome == "keep" else (case.outcome,)
    return replace(PushResult("r1", 1, response, actions, None), **members)


ENDS: Mapping[str, tuple[Case, Callable[[Case], PushResult], bool]] = {
    "delivered": (FINE, fate, True),
    "an error": (DEAD, fate, True),
    "an error that came too late": (DEAD, lambda case: fate(case, actions=("stale",)), True),
    "a stale success": (FINE, lambda case: fate(case, actions=("stale",)), False),
    "not reported": (DEAD, lambda case: fate(case, reports=0), False),
    "not stored": (DEAD, lambda case: fate(case, response=None), False),
    "another code": (FINE, lambda case: fate(case, response={"code": "x", "outcome": "keep"}), False),
    "another outcome": (FINE, lambda case: fate(case, response={"code": "OK", "outcome": "x"}), False),
    "no action": (BUSY, lambda case: fate(case, actions=()), False),
    "two actions": (BUSY, lambda case: fate(case, actions=("postpone", "stale")), False),
}


@pytest.mark.parametrize(("case", "ends", "fine"), ENDS.values(), ids=ENDS)
def test_every_push_ends_once(
    case: Case, ends: Callable[[Case], PushResult], snapshot: SnapshotAssertion, *, fine: bool
) -> None:
    model = LifecycleModel(pushes={("m0", "a"): expected(FINE), PUSH: expected(case)})
    found = every_push_has_ended("world", ["a step"], model, {("m0", "a"): fate(FINE), PUSH: ends(case)})
    judged(list(found), snapshot, fine=fine)
