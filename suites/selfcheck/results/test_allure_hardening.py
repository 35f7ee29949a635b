"""Allure's pages lose their analytics and get a policy, or are refused."""

import re

import pytest

from fixtures.results.report.allure_hardening import UnknownAllurePage, harden_page

ALLURES = """<!DOCTYPE html><html><head><link rel="icon" href="favicon.ico"><script>a=1</script></head><body>
<script  defer src="data:text/javascript;base64,AA"></script>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-1', {"x": 1});
    </script>
<script defer>d("x")</script></body></html>"""


def test_analytics_are_gone_and_every_script_carries_the_nonce() -> None:
    page = harden_page(ALLURES, "n0nce")
    assert "gtag" not in page
    assert re.findall(r"<script[^>]*>", page) == [
        '<script nonce="n0nce">',
        '<script nonce="n0nce">',
        '<script nonce="n0nce"  defer src="data:text/javascript;base64,AA">',
        '<script nonce="n0nce" defer>',
    ]


def test_the_policy_comes_before_everything_and_names_no_host() -> None:
    page = harden_page(ALLURES, "n0nce")
    assert page.index("Content-Security-Policy") < page.index("<link")
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0]
    assert policy.startswith("default-src 'none'; script-src 'nonce-n0nce'; ")
    assert "http" not in policy
    assert "favicon.ico" not in page


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<html><body></body></html>", id="no head"),
        pytest.param("<head></head><script src='https://www.googletagmanager.com/x'>", id="other analytics"),
    ],
)
def test_a_page_that_nobody_knows_is_refused(page: str) -> None:
    with pytest.raises(UnknownAllurePage, match="allure-changed"):
        harden_page(page, "n")
