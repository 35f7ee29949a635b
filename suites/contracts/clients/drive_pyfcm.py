"""Sends messages with pyfcm 2.x over v1: `notify`. The client's own interpreter runs this program."""

import json
import sys

from pyfcm import FCMNotification
from pyfcm.errors import FCMError
from requests.exceptions import RequestException


def main() -> None:
    client = FCMNotification(service_account_file=sys.argv[1], project_id="emulated")
    results = []
    for token in json.load(sys.stdin)["notify"]:
        try:
            answer = client.notify(fcm_token=token, notification_title="t", data_payload={"a": "b"})
            assert answer["name"].startswith("projects/emulated/messages/")
            results.append("sent")
        except (FCMError, RequestException) as error:
            results.append(type(error).__name__)
    sys.stdout.write(json.dumps({"notify": results}))


if __name__ == "__main__":
    main()
