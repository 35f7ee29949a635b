"""A second opinion: the three providers once more, by another hand, from the published documents alone.

The suite must find these services right. They share no code with the reference services, and use these
freedoms, by what grants each:

The wire says what is sent, not how a service works:
- The stack: Flask on werkzeug's threaded server, plain dicts under a lock.
- directory-events-api calls the other two in-process, so events have acted before its 202.
- A wait begins at `sent_at`, so neither redelivery nor order changes its end.
- Times end in +00:00 instead of Z.
- Ids in upper and lower case are the same id, and are shown as they came first.
- A report may name `fid` instead of `token`, and `bts` is not required.
- An unsubscribed subscriber keeps its token, and a postponed one stays so until it is resumed.
- An event is a duplicate if its `event_id` or its `report_id` is known.

Words that only people read:
- An unknown code is stored as it came, an odd status as HTTP_418, a delivery as DELIVERED.
- A refusal is application/json, with the members of a problem.
- The action is `alert` where the outcome is `fix_message`: nothing happens to the subscriber in either case.
- `rejected` has the last report first, and so has `forwarded_to` the last service.

Answers that no document decides:
- The first of several FcmErrors decides. An error beside a success wins.
- An object at 200 whose `error` cannot be read is an alert.

Waits have a lower bound and a generous upper one:
- A wait is up to twice as long as asked, by a jitter that the report's id decides.
- At 429 the floor is 60 s if FCM names no time; if it names one, there is no floor.
"""
