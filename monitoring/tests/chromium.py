"""A real browser without a window, on pages of this machine only."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@contextmanager
def browsing(profile: Path) -> Iterator[Chrome]:
    """`profile`: an empty folder."""
    options = ChromeOptions()
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Named, or selenium would look for one to download.
    options.binary_location = str(CHROMIUM)
    browser = Chrome(options, ChromeService(str(DRIVER)))
    try:
        browser.set_page_load_timeout(60)
        yield browser
    finally:
        browser.quit()


def shown_as(browser: Chrome, *, width: int, scheme: str) -> None:
    """From now on: a window so wide, of somebody who prefers `light` or `dark`."""
    mobile = width < 600
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    preferred = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)


def complaints(browser: Chrome) -> list[str]:
    """What stands in the console, but for mere information."""
    lines = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [line["message"] for line in lines if line["level"] in ("SEVERE", "WARNING")]


def picture(browser: Chrome, file: Path) -> None:
    """Of the whole page."""
    told = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
    file.write_bytes(b64decode(told["data"]))
