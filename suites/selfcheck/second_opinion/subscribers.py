"""subscribers-errors: what error events do to subscribers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from suites.selfcheck.second_opinion import decisions, reports
from suites.selfcheck.second_opinion.reports import Report
from suites.selfcheck.second_opinion.services import Answer, Service, UnknownState, text_member


@dataclass(frozen=True)
class Subscriber:
    subscriber_id: str
    token: str
    since: datetime
    status: str = "active"
    until: datetime | None = None


class SubscribersErrors(Service):
    name = "subscribers-errors"
    path = "/v1/errors"
    takes = "errors"
    taken_status = 200
    observed_path = "/v1/subscribers"
    observed = "subscribers"

    def __init__(self) -> None:
        super().__init__()
        self.subscribers: dict[str, Subscriber] = {}
        self.seen: set[tuple[str, str]] = set()

    def take(self, entries: Sequence[Any]) -> Answer:
        return {"results": [self.answer(event) for event in entries]}

    def answer(self, event: Any) -> Answer:
        ids = {member: text_member(event, member) for member in ("event_id", "subscriber_id")}
        return {**ids, "action": self.react(event)}

    def find_flaw(self, report: object) -> str:
        flaw = super().find_flaw(report)
        if not flaw and isinstance(report, dict) and not reports.is_id(report.get("event_id")):
            flaw = "event_id is missing or malformed"
        return flaw or ("" if text_member(report, "code") else "code is missing")

    def react(self, event: Any) -> str:
        """Do what an event asks for, and return the word for it."""
        if self.find_flaw(event):
            return "alert"
        if self.is_duplicate(event):
            return "duplicate"
        subscriber = self.subscribers.get(event["subscriber_id"].lower())
        if subscriber is None or self.is_stale(subscriber, event):
            return "stale"
        outcome = self.decide(event).outcome
        self.subscribers[event["subscriber_id"].lower()] = self.change(subscriber, event, outcome)
        return "alert" if outcome == "fix_message" else outcome

    def is_duplicate(self, event: Report) -> bool:
        keys = {(member, event[member].lower()) for member in ("event_id", "report_id")}
        is_known = not keys.isdisjoint(self.seen)
        self.seen |= keys
        return is_known

    def is_stale(self, subscriber: Subscriber, event: Report) -> bool:
        other_token = reports.target_of(event) != subscriber.token
        return other_token or reports.read_time(event["sent_at"]) < subscriber.since

    def change(self, subscriber: Subscriber, event: Report, outcome: str) -> Subscriber:
        """Return what becomes of a subscriber; an unsubscribed one stays so."""
        if subscriber.status == "unsubscribed":
            return subscriber
        if outcome == "unsubscribe":
            return replace(subscriber, status="unsubscribed", until=None)
        if outcome == "postpone":
            return replace(subscriber, status="postponed", until=self.postpone_until(subscriber, event))
        if outcome == "replace_token" and event["response"]["registration_id"] != subscriber.token:
            since = reports.read_time(event["sent_at"])
            return replace(subscriber, token=event["response"]["registration_id"], since=since)
        return subscriber

    def wait_of(self, event: Report) -> timedelta:
        return decisions.wait_of(event)

    def postpone_until(self, subscriber: Subscriber, event: Report) -> datetime:
        try:
            until = reports.read_time(event["sent_at"]) + self.wait_of(event)
        except OverflowError:
            until = datetime.max.replace(tzinfo=UTC)
        return max(until, subscriber.until or until)

    def show(self, subscriber_id: str) -> Answer | None:
        subscriber = self.subscribers.get(subscriber_id.lower())
        if subscriber is None:
            return None
        return {
            "subscriber_id": subscriber.subscriber_id,
            "status": subscriber.status,
            "token": subscriber.token,
            "postponed_until": subscriber.until and reports.write_time(subscriber.until),
        }

    def resume(self, entries: Sequence[Any]) -> None:
        """Make subscribers active whose postponement is over, unless they were postponed further since."""
        for entry in entries:
            subscriber = self.subscribers.get((text_member(entry, "subscriber_id") or "").lower())
            if subscriber is None or subscriber.until is None or not reports.is_time(entry.get("until")):
                continue
            if reports.read_time(entry["until"]) >= subscriber.until:
                active = replace(subscriber, status="active", until=None)
                self.subscribers[subscriber.subscriber_id.lower()] = active

    def change_state(self, state: str, params: Mapping[str, Any], *, set_up: bool) -> None:
        if state == "reachable":
            return
        members = {"subscribers exist": params.get("subscribers"), "no such subscriber": [params]}.get(state)
        if not isinstance(members, list) or not all(
            reports.is_id(text_member(member, "subscriber_id")) for member in members
        ):
            raise UnknownState(state)
        create = set_up and state == "subscribers exist"
        if create and not all(
            reports.is_token(member.get("token")) and reports.is_time(member.get("token_since"))
            for member in members
        ):
            raise UnknownState("a subscriber has no readable token or token_since")
        for member in members:
            key = member["subscriber_id"].lower()
            if create:
                self.subscribers[key] = Subscriber(
                    member["subscriber_id"], member["token"], reports.read_time(member["token_since"])
                )
            elif set_up or state == "subscribers exist":
                self.subscribers.pop(key, None)
