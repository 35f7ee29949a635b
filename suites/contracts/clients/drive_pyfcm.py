"""pyfcm 2.x, as a project uses it: `notify` over v1. Run by its own interpreter."""

import json
import sys

from pyfcm import FCMNotification
from pyfcm.errors import FCMError
from requests.exceptions import RequestException


def main() -> None:
    """Send to each token."""
    client = FCMNotification(service_account_file=sys.argv[1], project_id="emulated")
    said = []
    for token in json.load(sys.stdin)["notify"]:
        try:
            answer = client.notify(fcm_token=token, notification_title="t", data_payload={"a": "b"})
            assert answer["name"].startswith("projects/emulated/messages/")
            said.append("sent")
        except (FCMError, RequestException) as error:
            said.append(type(error).__name__)
    sys.stdout.write(json.dumps({"notify": said}))


if __name__ == "__main__":
    main()
