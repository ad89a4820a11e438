"""The first of the admin's pages, as a browser shows it, from a real gunicorn behind a real Caddy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Value
from django.db.models.functions import RPad
from django_q.models import Task
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import User
from accounts.tests.factories import PASSWORD, AdminFactory
from monitoring.tests.chromium import CHROMIUM, browsing, complaints, picture, shown_as
from monitoring.tests.echo import echoing
from monitoring.tests.rows import everything, many_torrents
from torrents.models import Engine
from torrents.tests.caddy_box import CaddyBox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}"),
]
TORRENTS = 90


@pytest.fixture
def admin(engine: Engine, worked: Task) -> User:
    admin = AdminFactory.create(username="keeper")
    many_torrents(people=12, torrents=TORRENTS)
    everything()
    long_names = RPad("username", 64, Value("w"))
    User.objects.exclude(pk=admin.pk).update(username=long_names)
    return admin


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with browsing(tmp_path / "profile") as browser:
        yield browser


def log_in(browser: Chrome) -> None:
    browser.find_element(By.NAME, "username").send_keys("keeper")
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "input[type=submit]").click()
    WebDriverWait(browser, 60).until(lambda browser: "/login/" not in browser.current_url)


def told(browser: Chrome, section: str, name: str) -> str:
    """The figure of that name in that section; its note is not part of it."""
    cell = browser.find_element(By.XPATH, f"//section[h2='{section}']//tr[normalize-space(th)='{name}']/td")
    return cell.text.splitlines()[0]


def test_the_page_shows_what_the_rows_tell_at_every_width_and_in_both_themes(
    box: CaddyBox, browser: Chrome, admin: User, tmp_path: Path
) -> None:
    browser.get(f"http://127.0.0.1:{box.caddy}/admin/")
    log_in(browser)
    browser.execute_script("window.stop()")  # it does not renew itself while it is looked at
    assert browser.title.startswith("The box")
    assert told(browser, "Torrents", "Downloading") == str(TORRENTS // 9)
    assert told(browser, "People", "May log in") == "14"
    assert told(browser, "Disk", "Free") == "100 GiB"
    assert len(browser.find_elements(By.XPATH, "//section[h2='Most disk']//progress")) == 5
    pictures = Path(os.environ.get("PICTURES_DIR") or tmp_path)
    backgrounds = set()
    for scheme in ("light", "dark"):
        for width in (1440, 390):
            shown_as(browser, width=width, scheme=scheme)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"at {width} pixels the page is {wide} wide"
            picture(browser, pictures / f"home-{width}-{scheme}.png")
        backgrounds.add(browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
    assert len(backgrounds) == 2
    assert complaints(browser) == []


def test_a_browser_comes_into_grafana_by_the_login_of_the_admins_pages(
    box: CaddyBox, browser: Chrome, admin: User
) -> None:
    with echoing(box.grafana):
        browser.get(f"http://127.0.0.1:{box.caddy}/grafana/d/overview?from=now-6h")
        log_in(browser)
        shown = browser.find_element(By.TAG_NAME, "body").text
        assert '"path": "/grafana/d/overview?from=now-6h"' in shown
        assert '["X-Webauth-User", "keeper"]' in shown
