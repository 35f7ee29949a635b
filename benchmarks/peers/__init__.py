"""Peers on the same reference services with the same seeded faults, and we beside them."""
