"""An emulator of Firebase Cloud Messaging: the legacy protocol, HTTP v1, topics and device groups."""

from .platform.fcm.process import FcmEmulator, start_emulator

__all__ = ["FcmEmulator", "start_emulator"]
