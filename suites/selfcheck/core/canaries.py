"""Canaries: made-up secrets in the shapes of real ones, their encodings, and the search for them."""

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
PASSWORD = "p4sswrd.of.the.lab.robot"  # noqa: S105  made up
DEVICE = "dKq7ZpX2mWv8TjRb4LdNs9:APA91bHcGf3YaQeUx5Oi1Pk6Sv0Bn7Mz2Wt8Er4Ty9Ul3"
EMAIL = "grace.hopper@customer.example"
PERSON = "3f2c9b1e-7d4a-4c1e-9b7a-5e8d1c0f2a34"

PRIVATE_KEY = (
    "-----BEGIN " + "PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "MzEfYyjiWA4R4ZG4a5dB2rO9kT3hXwq1sVbN7mLpE6uYcJfDgHiKlMnOpQrStUvW\n"
    "-----END " + "PRIVATE KEY-----"
)

# The targets file hides this member, in which the value stands.
HIDDEN_MEMBER = "customer"
MEMBER = "account of grace h."

# Secrets that the redactor learns.
LEARNT = {"OAuth token": OAUTH, "API key": API_KEY, "secret in words": WORDS, "password in a URL": PASSWORD}
# Secrets that only their shape gives away.
# They are put together here, so that no scanner takes this file for a leak.
SHAPED = {
    "device token": DEVICE,
    "e-mail address": EMAIL,
    "real subscriber": PERSON,
    "private key": PRIVATE_KEY,
    "phone number": "+49 1512 3456-789",
    "IMEI": "490154203237518",
    "credentials in a URL": "//robot:lab.pa55.of.grace@pay.example",
    "AWS key id": "AKIA" + "Q3EGRZ7LFH2KWX5T",
    "AWS secret": "wJalrXUtnF3MI/K7MDENG/bPxRf9CYzT4LqVk8Ws",
    "APNs token": "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad",
    "GitHub token": "ghp_" + "Kq7ZpX2mWv8TjRb4LdNs9HcGf3YaQeUx5Oi1",
    "GitLab token": "glpat-" + "Kq7ZpX2mWv8TjRb4LdNs",
    "Slack token": "xoxb-" + "2847561930-Kq7ZpX2mWv8TjRb4LdNs9HcG",
    "Telegram token": "5847261930:AA" + "Kq7ZpX2mWv8TjRb4LdNs9HcGf3YaQeUx5",
}
CANARIES: Mapping[str, str] = {**LEARNT, **SHAPED, "configured member": MEMBER}


def in_base64(secret: str) -> str:
    """As in a header or a cookie."""
    return base64.b64encode(f"user:{secret}".encode()).decode()


def _in_entities(secret: str) -> str:
    return html.escape(secret).replace("@", "&#64;").replace(":", "&#58;").replace(".", "&#46;")


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "in_clear": str,
    "in_base64": in_base64,
    # as in a JWT
    "in_url_base64": lambda s: base64.urlsafe_b64encode(json.dumps({"t": s}).encode()).decode().rstrip("="),
    "in_percents": lambda secret: quote(secret, safe=""),
    "in_many_percents": lambda secret: "".join(f"%{ord(letter):02x}" for letter in secret),
    # as in JSON within JSON
    "in_escapes": lambda secret: "".join(f"\\u{ord(letter):04x}" for letter in secret),
    "in_entities": _in_entities,
    "in_hex": lambda secret: secret.encode().hex(),
    "in_lines": lambda secret: f"{secret[: len(secret) // 2]}\n    {secret[len(secret) // 2 :]}",
    "in_a_word": lambda secret: f"user_{secret}_end",
    # as in a query
    "in_both": lambda secret: quote(in_base64(secret), safe=""),
}


def all_sentences(secrets: Mapping[str, str] = CANARIES) -> Iterator[str]:
    """A sentence for each of these secrets in each encoding."""
    for name, secret in secrets.items():
        for encode in ENCODINGS.values():
            if secret == MEMBER:
                yield f"{HIDDEN_MEMBER}={secret!r}"
            else:
                yield f"{name} was refused: token={encode(secret)} (denied)"


@dataclass(frozen=True)
class CanarySighting:
    """A canary that can be read in a text."""

    where: str
    canary: str
    encoding: str


def find_canaries(where: str, text: str) -> list[CanarySighting]:
    """Every canary in a text, in any encoding. Half of a learnt secret counts, and of a broken one."""
    found_canaries = [
        CanarySighting(where, name, encoding)
        for name, secret in CANARIES.items()
        for encoding, encode in ENCODINGS.items()
        for part in _revealing_parts(encode(secret), secret)
        if part in text or json.dumps(part)[1:-1] in text
    ]
    return list(dict.fromkeys(found_canaries))


def _revealing_parts(encoded: str, secret: str) -> tuple[str, ...]:
    half = len(secret) // 2
    is_half_enough = "\n    " in encoded or (encoded == secret and secret in LEARNT.values())
    return (secret[:half], secret[half:]) if is_half_enough else (encoded,)


def search_files(folder: Path) -> tuple[list[CanarySighting], int]:
    """Every canary in the files below a folder, and the number of files."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    found_canaries = []
    for file in files:
        text = file.read_bytes().decode("latin-1")
        found_canaries += find_canaries(str(file.relative_to(folder)), text)
    return found_canaries, len(files)
