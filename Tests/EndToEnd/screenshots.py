"""Takes the pictures that the documentation shows: `screenshots.py FOLDER`. scripts/screenshots.sh prepares what it needs."""

import pathlib
import sys
import tempfile
import threading
import time

from conftest import Bench
from harness.api import API
from harness.browser import Browser
from harness.fleet import Gauge, gauges, history, line
from harness.gateway import Gateway
from harness.publisher import Publisher, topic
from harness.waiting import now_ms, wait_until

DEVICES = 1_200
HOURS = 26
INTERVAL_SECONDS = 60
SILENT_ONE_IN = 83
BYTE_LIMIT = 300_000
# Long enough for some of what the ingest page plots by itself.
INGEST_SECONDS = 75


def store(api: API, body: str) -> None:
    response = api.request("POST", "/api/v1/write", data=body, headers={"Content-Type": "application/x-ndjson"})
    assert response.status_code == 204, response.text


def keep_sending(api: API, fleet: list[Gauge], is_over: threading.Event) -> None:
    """Each second the next gauges' readings, so that each has one a minute."""
    talking = [gauge for number, gauge in enumerate(fleet) if number % SILENT_ONE_IN]
    place, share = 0, len(talking) // INTERVAL_SECONDS + 1
    while not is_over.wait(1):
        now = int(time.time())
        store(api, "\n".join(line(talking[(place + step) % len(talking)], now) for step in range(share)))
        place += share


def refuse_some(bench: Bench) -> None:
    with Publisher(bench.broker.port) as publisher:
        for number in range(9):
            publisher.send(topic("isar-021"), {"ts": 1_000_000_000_000 + number, "level": 2.1})
        for payload in ('{"level": 2.41, "flow": }', '{"level": 2.40, "flow":'):
            publisher.send(topic("lech-004"), payload)
        publisher.send(topic("inn-017"), {"ts": now_ms() + 7_200_000, "level": 1.7})
        publisher.settle()


def take(browser: Browser, gateway: Gateway, folder: pathlib.Path, scheme: str) -> None:
    sights = {
        "fleet": ("/#/", ".sparkline:not([hidden])", 3),
        "device": ("/#/device/aare-015?range=24h", ".panel .uplot", 3),
        "storage": ("/#/storage", ".grid-row", 2),
        "ingest": ("/#/ingest", "[data-reason] pre", INGEST_SECONDS),
    }
    browser.choose_scheme(scheme)
    for name, (path, selector, seconds) in sights.items():
        browser.open(gateway.api.url + path)
        browser.wait_for(selector)
        time.sleep(seconds)
        picture = folder / f"{name}-{scheme}.png"
        browser.driver.save_screenshot(str(picture))
        assert picture.stat().st_size < BYTE_LIMIT, f"{picture} is too big"
        assert browser.errors() == []


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(pathlib.Path(place))
        browser = Browser(pathlib.Path(place) / "profile")
        browser.command("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
        is_over = threading.Event()
        try:
            bench.broker.start()
            gateway = bench.gateway()
            gateway.sections["[[table]]"] |= {"partition": "1h", "seal_after": "1m", "stale_after": "3m"}
            gateway.deliver(age="2h")
            gateway.start()
            browser.open(gateway.api.url)
            browser.wait_for(".welcome pre")
            browser.driver.save_screenshot(str(folder / "first-message-light.png"))

            fleet, now = gauges(DEVICES), int(time.time())
            for body in history(fleet, now - HOURS * 3_600, now, INTERVAL_SECONDS):
                store(gateway.api, body)
            sender = threading.Thread(target=keep_sending, args=(gateway.api, fleet, is_over))
            sender.start()
            refuse_some(bench)
            states = lambda: {partition["state"] for partition in gateway.api.partitions()}
            wait_until(lambda: "delivered" in states(), "something is delivered", timeout=300)
            # Those that have fallen silent are stale by then.
            time.sleep(200)
            for scheme in ("light", "dark"):
                take(browser, gateway, folder, scheme)
            is_over.set()
            sender.join()
        finally:
            is_over.set()
            browser.close()
            bench.close()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
