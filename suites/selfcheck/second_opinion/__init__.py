"""A second opinion: the three providers once more, by another hand, from the published documents alone.

The suite must find these services right. They share no code with the reference services, and use these
freedoms. The number behind each is the section of the design page that grants it:

- The stack: Flask on werkzeug's threaded server, plain dicts under a lock (3 fixes only the wire).
- directory-events-api calls the other two in-process, so events have acted before its 202 (3).
- An unknown code is stored as it came, an odd status as HTTP_418, a delivery as DELIVERED (7, label).
- A refusal is application/json, with the members of a problem (7, label).
- The action is `alert` where the outcome is `fix_message` (7, label: nothing happens in either case).
- `rejected` has the last report first, and so has `forwarded_to` the last service (7, label).
- The first of several FcmErrors decides. An error beside a success wins (7, unspecified answers).
- An object at 200 whose `error` cannot be read is an alert (7, unspecified answers).
- A wait is up to twice as long as asked, by a jitter that the report's id decides (7, promise).
- At 429 the floor is 60 s if FCM names no time; if it names one, there is no floor (7, promise).
- A wait begins at `sent_at`, so neither redelivery nor order changes its end (3, "in any order").
- Times end in +00:00 instead of Z (3, RFC 3339 in UTC).
- Ids in upper and lower case are the same id, and are shown as they came first (3, UUIDs).
- A report may name `fid` instead of `token` (9).
- An unsubscribed subscriber keeps its token, and a postponed one stays so until it is resumed (3).
- An event is a duplicate if its `event_id` or its `report_id` is known (3).
- `bts` is not required (3 asks for `reports` only).
"""
