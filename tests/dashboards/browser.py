"""A real browser: headless Chromium through its own driver, with screenshots and the errors of its console."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

#: Folder that keeps the screenshots; without it none are taken, but for the one of what did not happen in time.
ENV_SCREENSHOTS = "AIIDA_ION_SCREENSHOTS"
WIDE, NARROW = (1440, 900), (390, 844)
PATIENCE_S = 40.0
#: Looks at a page that draws its elements anew.
RETRIES = 5
#: Looks in a row, 0.05 s apart, that must find a page idle and of the same length.
SAME_LOOKS = 8
TIMEOUT = "timeout"
#: A visitor who has seen the tour; the address ``about:blank`` has no storage.
SEEN = "try { if (!/unseen/.test(location.hash)) localStorage.setItem('aiida-ion-tour', 'seen'); } catch (error) {}"
T = TypeVar("T")
#: What Chromium says of drawing in three dimensions without a graphics card, which is not a fault of the page.
OF_THE_DRIVER = ("GL Driver Message", "willReadFrequently", "software WebGL")
MISSING = next((f"{name} is not installed" for name in ("chromium", "chromedriver") if not shutil.which(name)), None)


class Browser:
    """A page of a dashboard and what one does with it."""

    def __init__(self, driver: webdriver.Chrome, home: str, downloads: Path, pictures: Path) -> None:
        self.driver, self.home, self.downloads, self.pictures = driver, home.rstrip("/"), downloads, pictures

    def open(self, address: str = "/") -> None:
        """Open an address of the dashboard and wait for its heading."""
        self.driver.get(self.home + address)
        self.wait_for("main h1")

    @property
    def address(self) -> str:
        """Path and query of what is shown."""
        parts = urlsplit(self.driver.current_url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "main") -> str:
        return self.find(selector).text

    def until(self, holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """Wait until something holds, and return it."""
        end = time.monotonic() + patience_s
        while True:
            try:
                if result := holds():
                    return result
            except StaleElementReferenceException:
                pass
            if time.monotonic() > end:
                self.shot(TIMEOUT)
                raise AssertionError(f"{what} did not happen in {patience_s:.0f} s at {self.address}")
            time.sleep(0.05)

    def wait_for(self, selector: str) -> WebElement:
        return self.until(lambda: next(iter(self.all(selector)), None), f"{selector} appears")

    def wait_for_text(self, text: str, selector: str = "main") -> None:
        self.until(lambda: text in self.text(selector), f"{text!r} in {selector}")

    def heading(self, text: str) -> None:
        """Wait for the page with this heading."""
        self.until(lambda: self.all("main h1") and self.text("main h1").startswith(text), f"heading {text!r}")

    def settle(self) -> None:
        """Wait until no callback runs, every figure and table is drawn, nothing is being read, and all stays so."""
        idle = "return !document.querySelector('[data-dash-is-loading], .ag-loading') && "
        idle += "!document.querySelector('main .empty-title')?.textContent.includes('being read') && "
        idle += "document.querySelector('main').innerHTML.length"
        seen: list[Any] = []

        def calm() -> bool:
            seen.append(self.driver.execute_script(idle))
            # A busy machine pauses between a page and its first callback: one idle look says little.
            return len(seen) > SAME_LOOKS and bool(seen[-1]) and len(set(seen[-SAME_LOOKS:])) == 1

        self.until(calm, "the page settles")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def retried(self, look: Callable[[], T]) -> T:
        """Return what a look at several elements gives; again where the page drew them anew meanwhile."""
        for _ in range(RETRIES):
            try:
                return look()
            except StaleElementReferenceException:
                self.settle()
        return look()

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def tab_order(self, n: int) -> list[str]:
        """Return what the tab key reaches first, by accessible name."""
        names = []
        for _ in range(n):
            self.press(Keys.TAB)
            names.append(self.focused().accessible_name)
        return names

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page this size; a headless window would not become so narrow."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def shot(self, name: str, whole: bool = False) -> Path:
        """Save a picture of what is shown, or of the whole page, where pictures are kept."""
        path = self.pictures / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png"
        if not os.environ.get(ENV_SCREENSHOTS) and name != TIMEOUT:
            return path
        if whole:
            height = int(self.run("return Math.max(document.documentElement.scrollHeight, 900)"))
            width = int(self.run("return window.innerWidth"))
            self.resize((width, min(height, 6000)))
            time.sleep(0.4)
            self.driver.save_screenshot(str(path))
            self.resize((width, 900))
        else:
            self.driver.save_screenshot(str(path))
        return path

    def downloaded(self, name: str) -> Path:
        """Wait for a file to be downloaded whole."""
        path = self.downloads / name
        self.until(lambda: path.is_file() and path.stat().st_size > 0, f"download of {name}")
        return path

    def complaints(self) -> list[str]:
        """Return errors and warnings of the console since the last call, with what loaded from elsewhere."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")
        text = [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
        return [message for message in text if not any(word in message for word in OF_THE_DRIVER)]

    def foreign_requests(self) -> set[str]:
        """Return the hosts, other than the dashboard's, that the browser asked for anything."""
        hosts = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
                hosts.add(parts.netloc if parts.scheme in ("http", "https", "ws", "wss") else "")
        return hosts - {"", urlsplit(self.home).netloc}


@contextmanager
def browse(home: str, folder: Path, size: tuple[int, int] = WIDE) -> Iterator[Browser]:
    """Start Chromium on a dashboard."""
    pictures = Path(os.environ.get(ENV_SCREENSHOTS) or folder / "screenshots")
    downloads = folder / "downloads"
    for one in (pictures, downloads):
        one.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"):
        options.add_argument(argument)
    options.add_argument("--enable-unsafe-swiftshader")  # three dimensions without a graphics card
    # Chromium's own calls home would be taken for the page's.
    for argument in ("--disable-background-networking", "--disable-component-update", "--no-first-run"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.binary_location = shutil.which("chromium") or ""
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SEEN})
        browser = Browser(driver, home, downloads, pictures)
        browser.resize(size)
        yield browser
    finally:
        driver.quit()
