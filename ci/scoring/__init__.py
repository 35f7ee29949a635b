"""Runs seeded faults and tabulates what caught them."""
