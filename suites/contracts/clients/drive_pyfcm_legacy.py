"""pyfcm 1.5.4, as a project uses it: one and many devices over the legacy protocol."""

import json
import sys
from typing import Any

from pyfcm import FCMNotification
from pyfcm.errors import FCMError
from requests.exceptions import RequestException


def one(client: Any, token: str) -> str:
    """`notify_single_device`: the exception, the error word of the result, or that it was sent."""
    try:
        answer = client.notify_single_device(
            registration_id=token, message_title="t", data_message={"a": "b"}
        )
    except (FCMError, RequestException) as error:
        return type(error).__name__
    return told(answer["results"][0])


def told(result: dict[str, Any]) -> str:
    """What a result says."""
    return str(result.get("error") or ("renewed" if "registration_id" in result else "sent"))


def main() -> None:
    """Send to each token, and to many in one request."""
    asked = json.load(sys.stdin)
    client = FCMNotification(api_key="a-server-key")
    single = [one(client, token) for token in asked["notify_single_device"]]
    tokens = asked["notify_multiple_devices"]
    many = client.notify_multiple_devices(registration_ids=tokens, message_body="b")
    said = {"notify_single_device": single, "notify_multiple_devices": [told(row) for row in many["results"]]}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
