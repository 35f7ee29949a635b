"""Sends messages with pyfcm 1.5.4 over the legacy protocol, to one device and to many in one request.

The client's own interpreter runs this program.
"""

import json
import sys
from typing import Any

from pyfcm import FCMNotification
from pyfcm.errors import FCMError
from requests.exceptions import RequestException


def notify_single(client: Any, token: str) -> str:
    """The exception, the error word of the result, or `sent` or `renewed`."""
    try:
        answer = client.notify_single_device(
            registration_id=token, message_title="t", data_message={"a": "b"}
        )
    except (FCMError, RequestException) as error:
        return type(error).__name__
    return name_result(answer["results"][0])


def name_result(result: dict[str, Any]) -> str:
    return str(result.get("error") or ("renewed" if "registration_id" in result else "sent"))


def main() -> None:
    tokens = json.load(sys.stdin)
    client = FCMNotification(api_key="a-server-key")
    single = [notify_single(client, token) for token in tokens["notify_single_device"]]
    answer = client.notify_multiple_devices(
        registration_ids=tokens["notify_multiple_devices"], message_body="b"
    )
    multiple = [name_result(result) for result in answer["results"]]
    results = {"notify_single_device": single, "notify_multiple_devices": multiple}
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
