"""Real, unmodified FCM clients against the emulator, each in an environment of its own."""
