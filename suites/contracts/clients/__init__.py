"""Real clients of FCM against the emulator, each unmodified and in an environment of its own."""
