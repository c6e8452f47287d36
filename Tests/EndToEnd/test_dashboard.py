"""The dashboard in a real browser, fed over a real broker."""

import json
import pathlib
import re
import shlex
import subprocess
import time
from urllib.parse import quote, urlsplit

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.keys import Keys

from conftest import Bench
from harness.browser import Browser
from harness.fleet import gauges, history
from harness.gateway import Gateway, reading
from harness.publisher import Publisher, topic
from harness.waiting import now_ms, wait_until

ROW = ".grid-row"
HOURS = 6
LIVE_SECONDS = 2
TRANSFER_LIMIT = 200_000
LARGE_FLEET = 10_000
# Ids that would do harm wherever text becomes markup, an address, or a path.
HOSTILE = (
    "<img src=x onerror=\"window.harm='img'\">",
    "\"><script>window.harm='script'</script>",
    "javascript:window.harm='link'",
    "' onmouseover='window.harm=1",
    "../../api/v1/config",
    "a/b?c=d&e#f%2Fg",
    "comma,comma",
    "\u202egnp.exe",
    "${window.harm=1}{{window.harm=1}}",
    " leading and trailing ",
    "__proto__",
    "水位計 №1 🚰",
)


def device_url(gateway: Gateway, device: str, parameters: str = "") -> str:
    return f"{gateway.api.url}/#/device/{quote(device, safe='')}{parameters}"


def store_history(gateway: Gateway, count: int, hours: float = HOURS, interval: int = 60) -> list[str]:
    """Gauges with hours behind them, up to now. Returns their names."""
    fleet, end = gauges(count), int(time.time())
    for body in history(fleet, end - int(hours * 3_600), end, interval):
        response = gateway.api.request(
            "POST", "/api/v1/write", data=body, headers={"Content-Type": "application/x-ndjson"}
        )
        assert response.status_code == 204, response.text
    return [gauge.name for gauge in fleet]


def is_settled(browser: Browser) -> bool:
    """The panels show the range that was asked for last."""
    return bool(browser.all(".panel .uplot")) and not browser.all(".panel.loading") and shown_step(browser) is not None


def shown_step(browser: Browser) -> int | None:
    step = browser.attribute(".panels", "data-step")
    return None if step is None else int(step)


def field_text(browser: Browser, field: str) -> str:
    return browser.text(f'.values tr[data-field="{field}"] td:nth-child(2)')


# What fills it


def test_the_fleet_fills_from_mqtt(bench: Bench, gateway: Gateway, browser: Browser) -> None:
    """Devices come by themselves after their first message, with state, values and a sparkline; nothing goes wrong on the way."""
    browser.open(gateway.api.url)
    browser.wait_for(".welcome")
    with Publisher(bench.broker.port) as publisher:
        for number in range(40):
            for step in range(5):
                publisher.send(
                    topic(f"pump-{number:02}"),
                    {"ts": now_ms() - (5 - step) * 300_000, "pressure": 2.5 + step * 0.25, "mode": "auto"},
                )
        publisher.settle()
    wait_until(lambda: len(browser.all(ROW)) >= 20, "devices are listed")
    wait_until(lambda: "3.5" in browser.text(f"{ROW} .value b"), "values are there")
    names = browser.texts(f"{ROW} .name")
    assert names == sorted(names) and names[0] == "pump-00"
    assert browser.attribute(".grid", "aria-rowcount") == "41"
    assert "online" in browser.text(f"{ROW} .pill") and "auto" in browser.text(ROW)
    line = wait_until(
        lambda: browser.attribute(f"{ROW} .sparkline:not([hidden])", "aria-label"), "a sparkline is drawn"
    )
    assert line == "pressure, last 1h: from 2.5 to 3.5"
    assert browser.errors() == []


def test_the_empty_fleet_teaches_the_first_message(bench: Bench, gateway: Gateway, browser: Browser) -> None:
    """The command on the page is run as it stands there, and the page shows the device that it made."""
    browser.open(gateway.api.url)
    browser.wait_for(".welcome pre")
    command = browser.texts(".welcome pre")[0]
    assert command.startswith("mosquitto_pub ") and f"-p {bench.broker.port} " in command
    wait_until(lambda: "broker is connected" in browser.text(".waiting"), "the state of the broker is told")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: browser.texts(f"{ROW} .name") == ["dev-1"], "the fleet takes the place of the lesson")
    assert not browser.all(".welcome")
    wait_until(lambda: "21.5" in browser.text(ROW), "its value is there")
    # The other commands of the page work, too.
    browser.run("location.hash = '#/device/dev-1'")
    wait_until(lambda: field_text(browser, "temperature") == "21.5", "the device's page shows it")
    assert browser.errors() == []


def test_a_live_point_shows_within_two_seconds(bench: Bench, gateway: Gateway, browser: Browser) -> None:
    """From mosquitto's ack to the value on the page, and into the plot, without a fetch of the range."""
    [device] = store_history(gateway, 1)
    browser.open(device_url(gateway, device, "?range=1h"))
    wait_until(lambda: is_settled(browser), "the plots are drawn")
    wait_until(lambda: browser.attribute("#live", "data-state") == "open", "the live stream is open")
    fetched = sum("/range" in url for url in browser.requested())
    with Publisher(bench.broker.port) as publisher:
        for value in (41.25, 42.25, 43.25):
            publisher.publish(topic(device), {"level": value})
            sent = time.monotonic()
            wait_until(lambda: field_text(browser, "level") == str(value), f"{value} shows", timeout=LIVE_SECONDS)
            label = f'[data-field="level"] .plot[aria-label*="last 4"]'
            wait_until(lambda: browser.all(label), f"{value} is in the plot", timeout=LIVE_SECONDS)
            assert time.monotonic() - sent < LIVE_SECONDS
    assert sum("/range" in url for url in browser.requested()) == fetched
    assert browser.errors() == []


def test_a_restart_of_the_gateway_is_told_and_survived(bench: Bench, gateway: Gateway, browser: Browser) -> None:
    """While it is gone the page says so and keeps what it shows; afterwards it goes on by itself, with what came meanwhile."""
    [device] = store_history(gateway, 1)
    browser.open(device_url(gateway, device, "?range=15m"))
    wait_until(lambda: browser.attribute("#live", "data-state") == "open", "the live stream is open")
    gateway.kill()
    browser.wait_for('[data-notice="gateway"]')
    wait_until(lambda: browser.attribute("#live", "data-state") != "open", "the stream is known to be cut")
    assert browser.all(".panel .uplot") and "no answer" in browser.text("#pulse")
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic(device), {"level": 51.5})
        gateway.start()
        wait_until(lambda: not browser.all('[data-notice="gateway"]'), "the notice goes")
        wait_until(lambda: browser.attribute("#live", "data-state") == "open", "the stream is open again")
        reached = '[data-field="level"] .plot[aria-label*="greatest 51.5"]'
        wait_until(lambda: browser.all(reached), "what came meanwhile is in the plot")
        publisher.publish(topic(device), {"level": 52.5})
        wait_until(lambda: field_text(browser, "level") == "52.5", "readings come live again", timeout=LIVE_SECONDS)


# Looking closer


def test_zoom_fetches_a_finer_step(gateway: Gateway, browser: Browser) -> None:
    """A selection becomes the range, with smaller windows down to single readings; the back button undoes it."""
    device = store_history(gateway, 2, interval=20)[1]
    browser.open(device_url(gateway, device, "?range=6h"))
    wait_until(lambda: is_settled(browser), "the plots are drawn")
    steps = [shown_step(browser)]
    for _ in range(4):
        browser.drag('[data-field="level"] .u-over', 0.55, 0.75)
        wait_until(lambda: is_settled(browser) and shown_step(browser) != steps[-1], "another step is shown")
        steps.append(shown_step(browser))
        if steps[-1] == 0:
            break
    assert all(finer < coarser for coarser, finer in zip(steps, steps[1:], strict=False)) and steps[-1] == 0, steps
    assert browser.attribute("#live", "aria-pressed") == "false"
    asked = [url for url in browser.requested() if "/range?" in url]
    assert "step=" not in asked[-1] and len({re.search(r"step=([^&]+)", url)[1] for url in asked[:-1]}) >= 2
    browser.driver.back()
    wait_until(lambda: is_settled(browser) and shown_step(browser) == steps[-2], "the range before is back")
    browser.press("l")
    wait_until(lambda: browser.attribute("#live", "aria-pressed") == "true", "it is live again")
    assert browser.errors() == []


def test_band_and_gaps_are_what_was_measured(gateway: Gateway, browser: Browser) -> None:
    """Least, average and greatest of the range, and one gap where the device was silent for twenty minutes, in words and as a table."""
    end = now_ms() // 60_000 * 60_000
    minutes = [minute for minute in range(60) if not 20 <= minute < 40]
    gateway.api.write(
        *(
            reading("weir", end - (60 - minute) * 60_000 + second * 1_000, level=float(minute % 10 + second))
            for minute in minutes
            for second in (0, 30)
        )
    )
    browser.open(f"{gateway.api.url}/#/device/weir?start={end - 3_600_000}&end={end}")
    wait_until(lambda: is_settled(browser), "the plot is drawn")
    label = browser.attribute('[data-field="level"] .plot', "aria-label")
    assert label == "level, 1 h: least 0, average 19.5, greatest 39, last 39; 1 gap"
    browser.click(".as-table")
    rows = browser.texts(".table-view tbody tr")
    step = shown_step(browser)
    assert step is not None and len(rows) == len(minutes) * 60 // max(30, step)


def test_csv_and_curl_are_the_same_request(gateway: Gateway, browser: Browser, tmp_path: pathlib.Path) -> None:
    """The copied command is run as it stands and answers with what the page shows; CSV is saved by the browser."""
    device = store_history(gateway, 1, hours=1)[0]
    browser.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open(device_url(gateway, device, "?range=1h"))
    wait_until(lambda: is_settled(browser), "the plots are drawn")
    browser.click("#curl")
    wait_until(lambda: "Copied" in browser.text("#curl"), "it is copied")
    command = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert shlex.split(command)[0] == "curl"
    answer = json.loads(subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout)
    assert answer["device"] == device and "level_avg" in [column["name"] for column in answer["columns"]]
    for choice, column in (("raw", "level"), ("shown", "level_avg")):
        for old in tmp_path.glob("*.csv"):
            old.unlink()
        browser.click("#csv")
        browser.click(f'[data-csv="{choice}"]')
        [file] = wait_until(lambda: list(tmp_path.glob("*.csv")), "a file is saved")
        lines = wait_until(lambda: file.read_text().splitlines(), "it is written")
        assert column in lines[0].split(",") and len(lines) > 50
    assert browser.errors() == []


# Ten thousand devices


def test_ten_thousand_devices_are_a_short_page(gateway: Gateway, browser: Browser) -> None:
    """All are counted and found, few are in the page, and values are asked for of those on screen alone."""
    end = now_ms()
    gateway.api.write(*(reading(f"dev-{number:05}", end - number, level=number / 4) for number in range(LARGE_FLEET)))
    browser.open(gateway.api.url)
    wait_until(lambda: browser.attribute(".grid", "aria-rowcount") == str(LARGE_FLEET + 1), "all devices are listed")
    wait_until(lambda: "0.25" in browser.text(ROW), "values are there")
    browser.run("document.querySelector('.grid').scrollTop = 1e9")
    wait_until(lambda: "2 499.75" in browser.text(ROW).replace("\u202f", " "), "the last device has its value")
    assert len(browser.all(ROW)) < 80
    asked = [
        event["request"] for event in browser.events("Network.requestWillBeSent") if event["request"]["method"] == "POST"
    ]
    assert all(len(json.loads(request["postData"])["devices"]) < 80 for request in asked) and len(asked) >= 2
    browser.press("/")
    browser.press("dev-0777")
    wait_until(lambda: browser.attribute(".grid", "aria-rowcount") == "11", "ten devices match")
    assert browser.texts(f"{ROW} .name")[0] == "dev-07770"
    assert browser.errors() == []


def test_the_keyboard_goes_everywhere(gateway: Gateway, browser: Browser) -> None:
    """Search, move, open, zoom, back, other sections: without the mouse."""
    gateway.api.write(*(reading(f"dev-{number}", None, level=number) for number in range(5)))
    browser.open(gateway.api.url)
    wait_until(lambda: len(browser.all(ROW)) == 5, "devices are listed")
    browser.press("/")
    browser.press("dev", Keys.ARROW_DOWN, Keys.ARROW_DOWN, "j", Keys.ARROW_UP, Keys.ENTER)
    wait_until(lambda: browser.text("h1") == "dev-1", "the second row is opened")
    wait_until(lambda: is_settled(browser), "the plot is drawn")
    browser.press("+")
    wait_until(lambda: "range=30m" in browser.driver.current_url, "half of an hour is shown")
    browser.press(Keys.ARROW_LEFT)
    wait_until(lambda: "start=" in browser.driver.current_url, "an earlier time is shown")
    browser.press(Keys.ESCAPE)
    browser.wait_for('[data-page="fleet"]')
    for key, page in (("s", "storage"), ("i", "ingest"), ("f", "fleet")):
        browser.press("g", key)
        browser.wait_for(f'[data-page="{page}"]')
    browser.press("?")
    assert "Keys" in browser.text("dialog[open]")
    assert browser.errors() == []


def test_times_are_local_or_utc(gateway: Gateway, browser: Browser) -> None:
    """One button changes every time on the page."""
    gateway.api.write(reading("weir", now_ms() - 3_600_000, level=1.5))
    browser.command("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    browser.open(f"{gateway.api.url}/#/storage")
    wait_until(lambda: browser.all(ROW), "the partition is listed")
    local = browser.text(f"{ROW} .name")
    browser.click("#zone")
    assert browser.text("#zone") == "UTC"
    wait_until(lambda: browser.text(f"{ROW} .name") not in ("", local), "the time is another")
    start = gateway.api.partitions()[0]["start"]
    shown = time.strftime("%Y-%m-%d  %H:%M", time.gmtime(start / 1_000))
    assert browser.text(f"{ROW} .name").startswith(shown)


def test_a_token_is_sent_and_kept_by_the_tab_alone(gateway: Gateway, browser: Browser) -> None:
    """Entered in the bar, it goes along with every request, the live stream's too, and stands in no address and no lasting store."""
    store_history(gateway, 1, hours=0.1)
    browser.open(gateway.api.url)
    wait_until(lambda: browser.all(ROW), "the device is listed")
    browser.click("#token")
    browser.press("s3cret-token", Keys.ENTER)
    wait_until(lambda: browser.attribute("#token", "aria-pressed") == "true", "the token is in use")
    count = len(browser.requested())
    browser.click(f"{ROW} .name")
    wait_until(lambda: is_settled(browser), "the plots are drawn")
    later = [event["request"] for event in browser.events("Network.requestWillBeSent")][count:]
    asked = [request for request in later if "/api/v1/" in request["url"]]
    assert any("/live" in request["url"] for request in asked) and len(asked) > 3
    assert {request["headers"].get("Authorization") for request in asked} == {"Bearer s3cret-token"}
    assert "s3cret" not in "".join(browser.requested()) + browser.driver.current_url
    assert "s3cret" not in browser.run("return JSON.stringify(localStorage)")


# The other sections


def test_storage_shows_partitions_and_their_objects(bench: Bench, browser: Browser) -> None:
    """A window from open to delivered, its sizes, and the object's key and checksum as they are on disk."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"partition": "1h", "seal_after": "1s"}
    gateway.deliver(age="1s")
    gateway.start()
    old = now_ms() - 5 * 3_600_000
    gateway.api.write(*(reading("weir", old + second * 1_000, level=second) for second in range(100)))
    gateway.api.write(reading("weir", None, level=1))
    browser.open(f"{gateway.api.url}/#/storage")
    wait_until(lambda: "delivered" in browser.texts(f"{ROW} .pill"), "a partition is delivered")
    assert "open" in browser.texts(f"{ROW} .pill")
    browser.click('[data-name="delivered"]')
    wait_until(lambda: browser.attribute(".grid", "aria-rowcount") == "2", "only the delivered one is shown")
    browser.click(ROW)
    [entry] = [entry for partition in gateway.api.partitions() for entry in partition["objects"]]
    assert entry["key"] in browser.text("dialog") and entry["sha256"] in browser.text("dialog")
    assert browser.errors() == []


def test_ingest_shows_what_was_refused_and_why(bench: Bench, gateway: Gateway, browser: Browser) -> None:
    """Rates, the broker's state, and for each reason its count and the newest messages as text."""
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("good"), {"level": 1.5})
        publisher.publish(topic("bad"), "{\"level\": <b>nope</b>}")
        publisher.publish(topic("old"), {"ts": 1_000_000_000_000, "level": 2})
    wait_until(lambda: len(gateway.letters()) == 2, "both are refused")
    browser.open(f"{gateway.api.url}/#/ingest")
    sample = wait_until(lambda: browser.text('[data-reason="undecodable"] pre'), "the message is shown")
    assert sample == "{\"level\": <b>nope</b>}" and not browser.all("#main pre b")
    assert topic("old") in browser.text('[data-reason="late"]')
    assert browser.text('[data-reason="late"] td.number') == "1"
    wait_until(lambda: browser.attribute("#mqtt [data-connected]", "data-connected") == "true", "MQTT is connected")
    assert str(bench.broker.port) in browser.text("#mqtt") and "devices/+/telemetry" in browser.text("#mqtt")
    bench.broker.kill()
    wait_until(lambda: browser.attribute("#mqtt [data-connected]", "data-connected") == "false", "MQTT is lost")
    wait_until(lambda: "not ready" in browser.text("#pulse"), "the bar says so, too")


# What it must not do


def test_hostile_names_are_only_text(gateway: Gateway, browser: Browser) -> None:
    """Devices and fields with names that are markup, addresses and paths: shown as they are, opened as they are, never run."""
    gateway.api.write(*(reading(name, None, **{HOSTILE[0]: 1.5, HOSTILE[1]: "x", "__proto__": 2}) for name in HOSTILE))
    browser.open(gateway.api.url)
    wait_until(lambda: len(browser.all(ROW)) == len(HOSTILE), "all devices are listed")
    assert sorted(browser.texts(f"{ROW} .name")) == sorted(HOSTILE)
    wait_until(lambda: "1.5" in browser.text(ROW), "values are there")
    for index in range(len(HOSTILE)):
        browser.open(gateway.api.url)
        link = wait_until(lambda: browser.all(f'{ROW}[data-index="{index}"] .name'), "the device is listed")[0]
        name = link.get_property("textContent")
        link.click()
        wait_until(lambda: browser.text("h1") == name, f"{name!r} is opened")
        wait_until(lambda: field_text(browser, "__proto__") == "2", f"{name!r} has its values")
        wait_until(lambda: is_settled(browser), f"{name!r} has its plots")
        assert not browser.all('[data-notice="page"], [data-notice="range"]'), browser.text("#notices")
    assert browser.run("return window.harm") is None and not browser.all("main img, main script")
    assert browser.errors() == []


def test_everything_comes_from_the_gateway_and_is_small(gateway: Gateway, browser: Browser) -> None:
    """No other host, less than 200 KB for all sections, and a policy that forbids text as scripts and styles."""
    store_history(gateway, 3, hours=1)
    browser.open(gateway.api.url)
    for section in ("storage", "ingest", "device/x"):
        wait_until(lambda: browser.all(ROW), "devices are listed")
        browser.run("location.hash = arguments[0]", f"#/{section}")
        browser.wait_for(f'[data-page="{section.split("/", maxsplit=1)[0]}"]')
        browser.run("location.hash = '#/'")
    # The browser itself opens with a page of its own (chrome://).
    hosts = {urlsplit(url).netloc for url in browser.requested() if url.startswith(("http", "ws"))}
    assert hosts == {urlsplit(gateway.api.url).netloc}
    files = [
        event["response"]
        for event in browser.events("Network.responseReceived")
        if "/dashboard/" in event["response"]["url"] or urlsplit(event["response"]["url"]).path == "/"
    ]
    assert len(files) > 30 and all(file["status"] == 200 for file in files)
    assert browser.transferred() < TRANSFER_LIMIT, "with all that was asked of the API"
    policy = gateway.api.request("GET", "/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert not [error for error in browser.errors() if "404" not in error]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(bench: Bench, gateway: Gateway, browser: Browser, scheme: str) -> None:
    """Every section, and the dialogs, by the rules of axe: nothing that is serious or critical."""
    names = store_history(gateway, 30, hours=1)
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("bad"), "nope")
    browser.choose_scheme(scheme)
    sights = {
        "/#/": ROW,
        f"/#/device/{quote(names[0], safe='')}?range=1h": ".panel .uplot",
        "/#/storage": ROW,
        "/#/ingest": "[data-reason] pre",
    }
    for path, selector in sights.items():
        browser.open(gateway.api.url + path)
        browser.wait_for(selector)
        assert browser.attribute("html", "data-theme") == scheme
        assert serious(browser) == [], path
    browser.press("?")
    browser.wait_for("dialog[open]")
    assert serious(browser) == []


def test_axe_finds_nothing_serious_in_the_empty_fleet(gateway: Gateway, browser: Browser) -> None:
    browser.open(gateway.api.url)
    browser.wait_for(".welcome pre")
    assert serious(browser) == []


def serious(browser: Browser) -> list[str]:
    time.sleep(0.3)  # Transitions of colours: a contrast is measured when they are over.
    # Chromium forbids nothing to its driver: the page's policy does not keep axe out.
    found = Axe().run(browser.driver)["violations"]
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
