"""Secrets that nobody may find again: made up, in the shapes of real ones, and packed as they get packed."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OAUTH = "ya29.Kq7ZpX2mWv8TjRb4LdNs9HcGf3YaQe"
API_KEY = "AIzaSyD4Kq7ZpX2mWv8TjRb4LdNs9HcGf3Y"
WORDS = "plain-words-that-only-the-lab-knows"
PASSWORD = "p4sswrd.of.the.lab.robot"  # noqa: S105  nobody's
DEVICE = "dKq7ZpX2mWv8TjRb4LdNs9:APA91bHcGf3YaQeUx5Oi1Pk6Sv0Bn7Mz2Wt8Er4Ty9Ul3"
EMAIL = "grace.hopper@customer.example"
PERSON = "3f2c9b1e-7d4a-4c1e-9b7a-5e8d1c0f2a34"
MEMBER = "account of grace h."

TOLD = {"OAuth token": OAUTH, "API key": API_KEY, "secret in words": WORDS, "password in a URL": PASSWORD}
"""What a run is told, and so knows in whatever shape."""
SHAPED = {"device token": DEVICE, "e-mail address": EMAIL, "real subscriber": PERSON}
"""What nobody told, known by its looks only."""
HIDDEN = "customer"
"""The member of which the targets file says that nobody may read it, and in which MEMBER stands."""
CANARIES: Mapping[str, str] = {**TOLD, **SHAPED, "configured member": MEMBER}


def in_clear(secret: str) -> str:
    """As it is."""
    return secret


def in_base64(secret: str) -> str:
    """As a header or a cookie may hold it."""
    return base64.b64encode(f"user:{secret}".encode()).decode()


def in_url_base64(secret: str) -> str:
    """As a JWT may hold it."""
    return base64.urlsafe_b64encode(json.dumps({"t": secret}).encode()).decode().rstrip("=")


def in_percents(secret: str) -> str:
    """As a query may hold it."""
    return quote(secret, safe="")


def in_many_percents(secret: str) -> str:
    """As a cautious encoder writes it."""
    return "".join(f"%{ord(letter):02x}" for letter in secret)


def in_escapes(secret: str) -> str:
    """As JSON within JSON may hold it."""
    return "".join(f"\\u{ord(letter):04x}" for letter in secret)


def in_entities(secret: str) -> str:
    """As a page may hold it."""
    return html.escape(secret).replace("@", "&#64;").replace(":", "&#58;").replace(".", "&#46;")


def in_hex(secret: str) -> str:
    """As a dump may hold it."""
    return secret.encode().hex()


def in_both(secret: str) -> str:
    """As base64 in a query."""
    return quote(in_base64(secret), safe="")


SHAPES: tuple[Callable[[str], str], ...] = (
    in_clear,
    in_base64,
    in_url_base64,
    in_percents,
    in_many_percents,
    in_escapes,
    in_entities,
    in_hex,
    in_both,
)


def spread() -> Iterator[str]:
    """Each canary in each shape, in a sentence."""
    for name, secret in CANARIES.items():
        for shape in SHAPES:
            yield (
                f"{HIDDEN}={secret!r}"
                if secret == MEMBER
                else f"{name} was refused: token={shape(secret)} (denied)"
            )


@dataclass(frozen=True)
class Sighting:
    """A canary that somebody can read."""

    where: str
    canary: str
    shape: str


def sightings(where: str, text: str) -> list[Sighting]:
    """Every canary in a text, in whatever shape; of those that a run was told, half is enough."""
    found = (
        Sighting(where, name, shape.__name__)
        for name, secret in CANARIES.items()
        for shape in SHAPES
        for part in _tell_tale(shape(secret), secret)
        if part in text or json.dumps(part)[1:-1] in text
    )
    return list(dict.fromkeys(found))


def _tell_tale(packed: str, secret: str) -> tuple[str, ...]:
    if packed == secret and secret in TOLD.values():
        half = len(secret) // 2
        return secret[:half], secret[half:]
    return (packed,)


def in_files(folder: Path) -> tuple[list[Sighting], int]:
    """Every canary in every file below a folder, and how many files there are."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    found = [
        one
        for file in files
        for one in sightings(str(file.relative_to(folder)), file.read_bytes().decode("latin-1"))
    ]
    return found, len(files)
