"""Personal data becomes stand-ins: the same value the same one, in every answer of an import."""

import io
import json
from typing import Any

import pytest

from fixtures.generation.anonymize import Anonymizer, answer_shape
from fixtures.generation.importing.deduplicate import ImportedAnswers

PERSONAL = {
    "project": ("quiet-otter-58", "projects/quiet-otter-58", "overview?project=quiet-otter-58 then"),
    "project in prose": (
        "lanternworks",
        "not been used in project lanternworks before or it is disabled",
        "",
    ),
    "project of a host": (
        "lantern-works",
        "https://lantern-works.firebaseio.com/x",
        "lantern-works.appspot.com",
    ),
    "project of a function": (
        "lantern-works",
        "https://europe-west1-lantern-works.cloudfunctions.net/push",
        "lantern-works-default-rtdb.firebaseio.com lantern-works.uc.r.appspot.com",
    ),
    "project of a bucket": ("lantern-works", "lantern-works.firebasestorage.app", "lantern-works.web.app"),
    "service of Cloud Run": ("otter-api-x4kq", "https://otter-api-x4kq-uc.a.run.app/x", ""),
    "host": ("acme", "http://push-prod-7.acme.internal:8080/x", "by push-prod-7.acme.internal."),
    "host of one word": ("push-prod-7", "upstream http://push-prod-7:8080/send", ""),
    "host of a country": ("acme", "<address>nginx at push.acme.de Port 443</address>", "at push.acme.de"),
    "host of a cloud": ("q7xk", "q7xk.execute-api.eu-west-1.amazonaws.com", "https://q7xk.lambda-url.on.aws"),
    "host of an address": ("10-0-3-17", "on ip-10-0-3-17.eu-west-1.compute.internal", "ip-10-0-3-17 failed"),
    "IPv4": (
        "198.51.100.23",
        "The originating IP address of the call (198.51.100.23) violates",
        "198.51.100.23:443",
    ),
    "IPv6": ("2001:db8:7::5a", "address 2001:db8:7::5a.", "[2001:db8:7::5a]:443"),
    "IPv6 of IPv4": ("::ffff:198.51.100.9", "from ::ffff:198.51.100.9 refused", ""),
    "installation": (
        "dTk3xQ0vRb-2mNpLw9sYhA",
        "instance dTk3xQ0vRb-2mNpLw9sYhA is gone",
        "dTk3xQ0vRb-2mNpLw9sYhA",
    ),
    "installation of letters": ("cQwErTyUiOpAsDfGhJkLzX", "instance cQwErTyUiOpAsDfGhJkLzX", ""),
    "installation in a URL": (
        "dTk3xQ0vRb-2mNpLw9sYhA",
        "https://x.example/v1/installations/dTk3xQ0vRb-2mNpLw9sYhA/tokens",
        "fid=dTk3xQ0vRb-2mNpLw9sYhA",
    ),
    "e-mail in a URL": ("ada.byron%40mill.example", "https://x.example/?to=ada.byron%40mill.example", ""),
    "account of a code host": ("ada-byron", "https://github.com/ada-byron/push/issues", ""),
    "e-mail": ("ada.byron@mill.example", "mailto:ada.byron@mill.example", "by ada.byron@mill.example."),
    "account": (
        "ada-byron",
        "https://api.mill.example/users/ada-byron/devices",
        "https://x.example/~ada-byron",
    ),
    "account in a query": (
        "ada-byron",
        "https://x.example/?login=ada-byron&x=1",
        "https://x.example/accounts/ada-byron",
    ),
}


@pytest.mark.parametrize(("value", "text", "other"), PERSONAL.values(), ids=PERSONAL)
def test_a_value_gets_one_stand_in(value: str, text: str, other: str) -> None:
    anonymizer = Anonymizer()
    first = anonymizer.anonymize_value({"message": text, "other": other})
    second = anonymizer.anonymize_value({"message": text, "other": other})
    assert value not in json.dumps(first)
    assert first == second
    assert first["message"] != text
    assert anonymizer.anonymize_value(first) == first


def test_two_values_get_two_stand_ins() -> None:
    texts = [
        f"from {address} in projects/{name}"
        for address in ("192.0.2.1", "192.0.2.2")
        for name in ("abc-d1", "xyz-d2")
    ]
    assert len(set(Anonymizer().anonymize_value(texts))) == 4
    assert len(set(Anonymizer().anonymize_value(["by ada@mill.example", "by bob@mill.example"]))) == 2


def test_a_name_that_a_member_tells_is_found_in_the_texts_beside_it() -> None:
    metadata = {
        "consumer": "projects/lanternworks",
        "containerInfo": "lanternworks",
        "service": "fcm.googleapis.com",
    }
    value = {"message": "lanternworks has no access", "details": [{"metadata": metadata}]}
    assert Anonymizer().anonymize_value(value) == {
        "message": "project-1 has no access",
        "details": [
            {
                "metadata": {
                    "consumer": "projects/project-1",
                    "containerInfo": "project-1",
                    "service": "fcm.googleapis.com",
                }
            }
        ],
    }


def test_a_project_in_a_host_is_that_in_other_texts() -> None:
    texts = ["projects/quiet-otter", "quiet-otter.web.app", "us-central1-quiet-otter.cloudfunctions.net"]
    texts += ["https://x.mill.example/a", "x.mill.example:443"]
    assert Anonymizer().anonymize_value(texts) == [
        "projects/project-1",
        "project-1.web.app",
        "us-central1-project-1.cloudfunctions.net",
        "https://host-2/a",
        "host-2:443",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "Firebase Cloud Messaging API has not been used in project",
        "at 10:00:00 on 2026-06-01 with 1.2.3",
        "DeviceMessageRateExceeded InvalidApnsCredential",
        "The project quota was exceeded, see https://firebase.google.com/docs/cloud-messaging",
        "Invalid value at 'message.data[0].value' (TYPE_STRING), 10",
        "message.android.ttl must be a duration",
        "https://fcm.googleapis.com/v1/x and oauth2.googleapis.com, accounts.google.com",
        "https://console.developers.google.com/apis/api/fcm.googleapis.com/overview",
        "Invalid value at 'message.webpush.fcm_options.link', com.google.firebase.messaging",
        "http://www.w3.org/TR/html4/strict.dtd by localhost, api.push.apple.com",
        "type.googleapis.com/google.rpc.BadRequest, google.rpc.RetryInfo, e.g. 3.5s",
    ],
)
def test_words_of_fcm_stay(text: str) -> None:
    assert Anonymizer().anonymize_value(text) == text


def test_stand_ins_make_no_shapes_of_their_own() -> None:
    rows = [
        {
            "http_status": 403,
            "body": {
                "error": {
                    "code": 403,
                    "status": "PERMISSION_DENIED",
                    "message": f"no access for u{n}@mill.example in projects/otter-{n}x from 198.51.100.{n}",
                    "details": [],
                }
            },
        }
        for n in range(30)
    ]
    data = "".join(json.dumps({**row, "protocol": "fcm_v1"}) + "\n" for row in rows)
    imported = ImportedAnswers()
    assert len(list(imported.read(io.BytesIO(data.encode()), "mine"))) == 1
    assert (imported.answers, imported.shape_count) == (30, 1)


def test_the_account_of_what_is_not_taken_holds_no_personal_data() -> None:
    imported = ImportedAnswers()
    text = "WARN projects/quiet-otter-58 198.51.100.23 ada.byron@mill.example: NotRegistered\n"
    assert list(imported.read(io.BytesIO(text.encode()), "mine")) == []
    account = " ".join(imported.first.values())
    assert "unreadable: mine, line 1" in account
    assert not [value for value in ("quiet-otter-58", "198.51.100.23", "ada.byron") if value in account]


def test_shapes_ignore_numbers() -> None:
    def shape(text: str) -> Any:
        return answer_shape({"protocol": "fcm_v1", "http_status": 404, "headers": {}, "body": text})

    assert shape("project-1") == shape("project-27")
