"""fcm-django: a device of its table is sent a message, and its own field says whether it is still active."""

from typing import Any

import django
import firebase_admin
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "fcm_django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()


class Adapter:
    def __init__(self) -> None:
        from fcm_django.models import FCMDevice  # noqa: PLC0415  Django wants its settings first

        firebase_admin.initialize_app()
        call_command("migrate", verbosity=0)
        self.devices = FCMDevice.objects

    def handle(self, _answer: Any, subscriber: dict[str, Any]) -> str:
        self.devices.all().delete()
        device = self.devices.create(registration_id=subscriber["token"], type="android")
        try:
            device.send_message(firebase_admin.messaging.Message(data={"key": "value"}))
        except firebase_admin.exceptions.FirebaseError as error:
            device.refresh_from_db()
            return f"raises {type(error).__name__}" if device.active else "inactive"
        return "active"
