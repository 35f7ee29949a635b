"""Every installed package has an allowed licence, and any other licence is reported."""

import pytest

from ci.commands import licences

pytestmark = pytest.mark.aside


def test_every_licence_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main([]) == 0
    assert "all licences are allowed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "licence", ["not told", "GPL-3.0-only", "AGPL", "Other/Proprietary License", "SMITH"]
)
def test_any_other_licence_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, licence: str
) -> None:
    packages = [("a", "1", "MIT"), ("b", "2", licence)]
    monkeypatch.setattr(licences, "list_licences", lambda: iter(packages))
    assert licences.main([]) == 1
    assert "1 to check" in capsys.readouterr().out
