"""What the dashboard shows of odd devices, odd screens and odd addresses."""

import shlex
import subprocess
from urllib.parse import quote

import pytest

from conftest import Bench
from harness.browser import Browser
from harness.gateway import Gateway, reading
from harness.waiting import now_ms, wait_until

ROW = ".grid-row"
# Pixels of the right half of a plot's canvas that have the colour of its series, or nearly so.
SERIES_PIXELS = """
  const canvas = document.querySelector("[data-field=level] canvas");
  const probe = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--series-0");
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const half = Math.floor(canvas.width / 2);
  const {data} = canvas.getContext("2d").getImageData(half, 0, half, canvas.height);
  let count = 0;
  for (let place = 0; place < data.length; place += 4) {
    if ([0, 1, 2].every((part) => Math.abs(data[place + part] - wanted[part]) < 12) && data[place + 3] > 200) count += 1;
  }
  return count;
"""


@pytest.fixture
def two_tables(bench: Bench) -> Gateway:
    """Without a broker; `telemetry` is the table that is meant where none is named."""
    gateway = bench.gateway(has_broker=False)
    gateway.preset = '[[table]]\nname = "weather"\n'
    gateway.start()
    return gateway


def is_drawn(browser: Browser) -> bool:
    return bool(browser.all(".panel .uplot")) and not browser.all(".panel.loading") and bool(browser.all("[data-step]"))


@pytest.mark.parametrize("range_ms", [3_600_000, 100_000], ids=["windows", "raw"])
def test_a_value_without_neighbours_is_a_point(gateway: Gateway, browser: Browser, range_ms: int) -> None:
    """A run of readings, a pause, a lonely one, a pause: it is seen, whether it is a window's average or a reading."""
    end = now_ms() // 60_000 * 60_000
    start = end - range_ms
    run_of = (reading("weir", start + step * range_ms // 1_200, level=5.0) for step in range(400))
    gateway.api.write(*run_of, reading("weir", start + range_ms * 3 // 4, level=5.0))
    browser.open(f"{gateway.api.url}/#/device/weir?start={start}&end={end}")
    wait_until(lambda: is_drawn(browser), "the plot is drawn")
    label = browser.attribute("[data-field=level] .plot", "aria-label")
    assert label is not None and label.endswith("; 2 gaps")
    wait_until(lambda: browser.run(SERIES_PIXELS) >= 8, "the value is seen")


@pytest.mark.parametrize("width", [390, 360])
def test_the_bar_fits_a_phone(two_tables: Gateway, browser: Browser, width: int) -> None:
    """Everything in the bar lies within the screen, with a choice of tables, too."""
    two_tables.api.write(reading("weir", None, level=1.5))
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=2, mobile=True)
    browser.open(two_tables.api.url)
    wait_until(lambda: browser.all(ROW), "the device is listed")
    assert browser.attribute("#table", "hidden") is None
    ends = browser.run(
        "return [...document.querySelectorAll('#frame a, #frame button, #frame select')]"
        ".map((node) => node.getBoundingClientRect()).map(({left, right}) => [left, right])"
    )
    assert len(ends) >= 9 and all(left >= 0 and right <= width for left, right in ends), ends
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_the_commands_of_an_empty_table_fill_that_table(two_tables: Gateway, browser: Browser) -> None:
    """Run as they stand there: the reading is in the table that is looked at, and read back from it."""
    browser.open(two_tables.api.url)
    browser.wait_for(".welcome pre")
    assert "table=" not in browser.text(".welcome pre")
    browser.run("const select = document.getElementById('table'); select.value = 'weather';"
                "select.dispatchEvent(new Event('change'))")  # fmt: skip
    wait_until(lambda: "table=weather" in browser.text(".welcome pre"), "the commands name the table")
    write, read = browser.texts(".welcome pre")
    assert all(shlex.split(command)[0] == "curl" for command in (write, read))
    for command in (write, read):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert '"temperature"' in done.stdout
    assert two_tables.api.table("weather")["rows"] == 1 and two_tables.api.table()["rows"] == 0
    wait_until(lambda: browser.texts(f"{ROW} .name") == ["dev-1"], "the page shows it")


def test_columns_are_the_fields_that_most_devices_have(gateway: Gateway, browser: Browser) -> None:
    """One odd device with fields early in the alphabet does not take the columns of all others."""
    odd = {f"a.{letter}": 1 for letter in "abcdef"}
    usual = {"flow": 1, "level": 2, "mode": "auto", "pressure": 3, "status": "ok", "zeta": 4}
    gateway.api.write(reading("odd", None, **odd), *(reading(f"pump-{number}", None, **usual) for number in range(9)))
    browser.open(gateway.api.url)
    wait_until(lambda: len(browser.all(ROW)) == 10, "devices are listed")
    wanted = ["Device", "State", "Last seen", "flow", "level", "mode", "pressure", "status", "Readings"]
    wait_until(lambda: browser.texts(".grid-head > *") == wanted, "the common fields are columns")
    assert browser.errors() == []


def test_the_title_shows_signs_that_would_turn_it(gateway: Gateway, browser: Browser) -> None:
    gateway.api.write(reading("\u202egnp.exe", None, level=1.5))
    browser.open(f"{gateway.api.url}/#/device/{quote(chr(0x202E))}gnp.exe")
    wait_until(lambda: is_drawn(browser), "the plot is drawn")
    assert browser.driver.title == "\\u{202e}gnp.exe · Gaugehouse"


def test_a_device_that_is_not_there_is_told(gateway: Gateway, browser: Browser) -> None:
    """In words, with nothing to press that would ask for its readings; the way back works."""
    name = "<b>\u202eno</b>"
    browser.open(f"{gateway.api.url}/#/device/{quote(name, safe='')}")
    browser.wait_for("#missing")
    assert browser.text("#missing") == "There is no device <b>\\u{202e}no</b> in table telemetry."
    assert browser.run("return document.querySelector('.range-bar').inert")
    assert not browser.all(".notice") and not browser.all("#missing b")
    browser.click(".device-head a")
    browser.wait_for('[data-page="fleet"]')
