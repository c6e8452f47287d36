"""The dashboard of those who may not see everything: what is missing is said, and is no error of the page."""

import pathlib

import pytest
from selenium.webdriver.common.keys import Keys

from conftest import Bench
from harness.browser import Browser
from harness.gateway import Gateway, reading
from harness.program import GAUGEHOUSE, run
from harness.waiting import now_ms, wait_until

ROW = ".grid-row"
NOT_FOR_THIS = "Not for this token: it takes a token that may read everything."


@pytest.fixture
def tokens(bench: Bench) -> pathlib.Path:
    return bench.folder / "tokens"


def create(tokens: pathlib.Path, name: str, scope: str, prefix: str = "") -> str:
    """The secret of a new token."""
    arguments = ["--scope", scope, *(["--device-prefix", prefix] if prefix else [])]
    made = run(GAUGEHOUSE, "token", "create", "--file", tokens, "--name", name, *arguments)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def guarded(bench: Bench, tokens: pathlib.Path) -> Gateway:
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[http]"]["token_file"] = str(tokens)
    gateway.start()
    return gateway


def write(gateway: Gateway, token: str, *readings: dict) -> None:
    answer = gateway.api.request(
        "POST", "/api/v1/write", json=list(readings), headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 204, answer.text


def open_with(browser: Browser, gateway: Gateway, token: str, path: str = "/") -> None:
    """The page as a tab has it that was given the token before."""
    browser.open(f"{gateway.api.url}/dashboard/icon.svg")
    browser.run("sessionStorage.setItem('gaugehouse.token', arguments[0])", token)
    browser.open(gateway.api.url + path)


def show(browser: Browser, section: str) -> None:
    browser.run("location.hash = arguments[0]", f"#/{section}")
    browser.wait_for(f'[data-page="{section or "fleet"}"]')


def test_a_token_for_some_devices_sees_them_without_an_error(
    bench: Bench, browser: Browser, tokens: pathlib.Path
) -> None:
    """Its fleet and plots are there; the bar tells the truth; storage and ingest say that they are for others."""
    admin, line = create(tokens, "admin", "admin"), create(tokens, "line", "read", prefix="line1/")
    gateway = guarded(bench, tokens)
    write(gateway, admin, reading("line1/a", None, level=1.5), reading("line2/b", None, level=2.5))
    open_with(browser, gateway, line)
    wait_until(lambda: browser.texts(f"{ROW} .name") == ["line1/a"], "its device is listed, and no other")
    wait_until(lambda: "1.5" in browser.text(ROW), "the value is there")
    assert browser.text("#pulse b") == "ready" and browser.attribute("#pulse", "title") == NOT_FOR_THIS
    assert not browser.all(".notice"), browser.text("#notices")
    for section in ("storage", "ingest"):
        show(browser, section)
        wait_until(lambda: NOT_FOR_THIS in browser.text("[data-refusal]:not([hidden])"), "the page says why it is empty")
        visible = browser.run("return document.getElementById('main').innerText")
        assert "NaN" not in visible and "Nothing was refused" not in visible
        assert not browser.all(".notice"), browser.text("#notices")
    bench.broker.kill()
    wait_until(lambda: browser.text("#pulse b") == "not ready", "the bar knows whether the gateway is ready")
    # Another token in the same tab sees the same page whole.
    browser.click("#token")
    browser.run("document.getElementById('token-input').value = ''")
    browser.press(admin, Keys.ENTER)
    wait_until(lambda: browser.all(".figures") and not browser.all("[data-refusal]:not([hidden])"), "figures are there")


def test_a_reader_is_not_told_of_what_is_for_admins(bench: Bench, browser: Browser, tokens: pathlib.Path) -> None:
    """Without the configuration the empty fleet shows an example, and ingest leaves out what only the configuration knows."""
    admin, reader = create(tokens, "admin", "admin"), create(tokens, "reader", "read")
    gateway = guarded(bench, tokens)
    open_with(browser, gateway, reader)
    browser.wait_for(".welcome pre")
    assert "devices/dev-1/telemetry" in browser.texts(".welcome pre")[0]
    assert "for admin tokens" in browser.text(".welcome li")
    assert not browser.all(".notice"), browser.text("#notices")
    show(browser, "ingest")
    wait_until(lambda: "connected" in browser.text("#mqtt"), "the state of the broker is told")
    wait_until(lambda: "for admin tokens" in browser.text("#mqtt"), "what is missing is said")
    assert browser.all(".figures") and not browser.all(".notice"), browser.text("#notices")
    write(gateway, admin, reading("dev-1", now_ms(), level=1.5))
    show(browser, "storage")
    wait_until(lambda: browser.all(ROW), "partitions are listed")
    assert not browser.all(".notice"), browser.text("#notices")


def test_a_token_that_is_refused_is_asked_for_anew_with_the_reason(
    bench: Bench, browser: Browser, tokens: pathlib.Path
) -> None:
    """Mistyped and revoked ones are told apart in the gateway's own words; who gave none yet is only asked."""
    gone = create(tokens, "gone", "read")
    create(tokens, "admin", "admin")
    assert run(GAUGEHOUSE, "token", "revoke", "gone", "--file", tokens).returncode == 0
    gateway = guarded(bench, tokens)
    browser.open(gateway.api.url)
    browser.wait_for("dialog[open]")
    assert browser.attribute("#token-refusal", "hidden") is not None
    assert browser.text("#pulse b") == "token needed"
    for secret, reason in (("mistyped", "The token is not whole"), (gone, "not, or no longer, in force")):
        browser.wait_for("#token-input")
        browser.run("document.getElementById('token-input').value = ''")
        browser.press(secret, Keys.ENTER)
        wait_until(lambda: reason in browser.text("#token-refusal:not([hidden])"), "the dialog says why it asks again")
        assert reason in browser.text("#notices")
