"""A headless Chromium that notes everything it asks for and everything that goes wrong."""

import json
import pathlib
import shutil
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from .waiting import wait_until

SIZE = (1440, 900)


def find(*names: str) -> str:
    """The path of the first program that is there."""
    path = next((path for name in names if (path := shutil.which(name))), None)
    assert path, f"none of {', '.join(names)} is installed"
    return path


class Browser:
    """Pages of one gateway. Elements are named by CSS selectors, also through what a page removes and makes anew."""

    def __init__(self, profile: pathlib.Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = find("chromium")
        for argument in (
            "--headless=new",
            # The tests may run as root, where the sandbox does not start.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={SIZE[0]},{SIZE[1]}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(find("chromedriver")))
        self.driver.set_script_timeout(60)
        self.command(
            "Emulation.setDeviceMetricsOverride", width=SIZE[0], height=SIZE[1], deviceScaleFactor=1, mobile=False
        )
        self._events: list[dict[str, Any]] = []
        self._errors: list[str] = []

    def close(self) -> None:
        self.driver.quit()

    def command(self, name: str, **parameters: Any) -> Any:
        """One of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    # What there is to see

    def open(self, url: str) -> None:
        """Anew, also when only what stands behind the # differs."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def choose_scheme(self, name: str) -> None:
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait_for(self, selector: str, timeout: float = 20) -> WebElement:
        return wait_until(lambda: next(iter(self.all(selector)), None), f"{selector} is there", timeout)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """In one go: the page may change between two questions."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)", selector)

    def text(self, selector: str) -> str:
        return "\n".join(self.texts(selector))

    def attribute(self, selector: str, name: str) -> str | None:
        return self.run("return document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name)

    def press(self, *keys: str) -> None:
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def click(self, selector: str) -> None:
        self.wait_for(selector).click()

    def drag(self, selector: str, start: float, end: float) -> None:
        """Selects a part of an element's width with the mouse, from one share of it to another."""
        element = self.wait_for(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        width = element.size["width"]
        chain = ActionChains(self.driver, duration=60)
        chain.move_to_element_with_offset(element, int(width * (start - 0.5)), 0).click_and_hold()
        chain.move_to_element_with_offset(element, int(width * ((start + end) / 2 - 0.5)), 0)
        chain.move_to_element_with_offset(element, int(width * (end - 0.5)), 0).release().perform()

    # What it did

    def errors(self) -> list[str]:
        """All that the console said so far that is a warning or worse."""
        self._errors += [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")
        ]
        return self._errors

    def events(self, name: str) -> list[dict[str, Any]]:
        """Parameters of all events of this name so far, of the DevTools protocol."""
        self._events += [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"] for event in self._events if event["method"] == name]

    def requested(self) -> list[str]:
        """Every address that was asked for, in order."""
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]

    def transferred(self) -> int:
        """Bytes that came over the network, heads included; not those of the page that the browser itself opens with."""
        ours = {
            event["requestId"]
            for event in self.events("Network.requestWillBeSent")
            if event["request"]["url"].startswith("http")
        }
        finished = self.events("Network.loadingFinished")
        return int(sum(event["encodedDataLength"] for event in finished if event["requestId"] in ours))
