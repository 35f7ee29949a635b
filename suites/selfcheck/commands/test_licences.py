"""Every installed package has a licence that is known to be fine, and one that has none is noticed."""

from __future__ import annotations

import pytest

from ci.commands import licences

pytestmark = pytest.mark.aside



def test_every_licence_is_known_to_be_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main() == 0
    assert "all known to be fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    "licence", ["not told", "GPL-3.0-only", "AGPL", "Other/Proprietary License", "SMITH"]
)
def test_any_other_is_noticed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, licence: str
) -> None:
    monkeypatch.setattr(licences, "licences", lambda: iter([("a", "1", "MIT"), ("b", "2", licence)]))
    assert licences.main() == 1
    assert "1 to look at" in capsys.readouterr().out
