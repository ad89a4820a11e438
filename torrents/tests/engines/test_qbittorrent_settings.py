"""What the profile sets takes effect in each version of qBittorrent, and again after somebody changed it."""

import contextlib
import http.client
from typing import Any

import pytest

from torrents.engines.qbittorrent_profile import Settings
from torrents.tests.engines.real import RealQBittorrent

pytestmark = pytest.mark.engine

# By the names of qBittorrent's Web API: what contains it, and what somebody could make of it. Some versions have more.
EVERYWHERE: dict[str, tuple[Any, Any]] = {
    "alternative_webui_enabled": (False, True),
    "autorun_enabled": (False, True),
    "bypass_auth_subnet_whitelist_enabled": (False, True),
    "bypass_local_auth": (False, True),
    "current_network_interface": ("lo", ""),
    "dht": (False, True),
    "dyndns_enabled": (False, True),
    "enable_embedded_tracker": (False, True),
    "excluded_file_names_enabled": (False, True),
    "incomplete_files_ext": (False, True),
    "ip_filter_enabled": (True, False),
    "ip_filter_trackers": (True, False),
    "lsd": (False, True),
    "mail_notification_enabled": (False, True),
    "pex": (False, True),
    "queueing_enabled": (False, True),
    "random_port": (False, True),
    "resolve_peer_countries": (False, True),
    "rss_auto_downloading_enabled": (False, True),
    "rss_processing_enabled": (False, True),
    "ssrf_mitigation": (True, False),
    "temp_path_enabled": (False, True),
    "torrent_content_layout": ("Original", "Subfolder"),
    "torrent_stop_condition": ("None", "FilesChecked"),
    "upnp": (False, True),
    "use_https": (False, True),
    "web_ui_address": ("127.0.0.1", "*"),
    "web_ui_clickjacking_protection_enabled": (True, False),
    "web_ui_csrf_protection_enabled": (True, False),
    "web_ui_domain_list": ("localhost", "*"),
    "web_ui_host_header_validation_enabled": (True, False),
    "web_ui_reverse_proxy_enabled": (False, True),
    "web_ui_upnp": (False, True),
    "web_ui_use_custom_http_headers_enabled": (False, True),
}
SOMEWHERE: dict[str, tuple[Any, Any]] = {
    "add_stopped_enabled": (False, True),
    "add_trackers_from_url_enabled": (False, True),
    "autorun_on_torrent_added_enabled": (False, True),
    "export_dir": ("", "/nonexistent/copies"),
    "export_dir_fin": ("", "/nonexistent/finished"),
    "i2p_enabled": (False, True),
    "merge_trackers": (False, True),
    "ssl_enabled": (False, True),
    "torrent_files_backup_enabled": (False, True),
    "torrent_files_finished_backup_dir_enabled": (False, True),
    "torrent_content_remove_option": ("Delete", "MoveToTrash"),
    "use_unwanted_folder": (False, True),
    "validate_https_tracker_certificate": (True, False),
}


def test_the_settings_hold_and_hold_again_after_somebody_changed_them(
    own_qbittorrent_of_each_version: RealQBittorrent,
) -> None:
    real = own_qbittorrent_of_each_version
    real.start()
    fresh = real.preferences()
    known = {name: pair for name, pair in SOMEWHERE.items() if name in fresh} | EVERYWHERE
    assert {name: fresh[name] for name in known} == {name: right for name, (right, _) in known.items()}

    real.set_preferences({name: wrong for name, (_, wrong) in known.items()})
    changed = real.preferences()
    unmoved = {name for name, (right, _) in known.items() if changed[name] == right}
    assert unmoved == set()
    real.stop()

    real.start()
    back = real.preferences()
    assert {name: back[name] for name in known} == {name: right for name, (right, _) in known.items()}


def test_memory_mapped_files_are_neither_used_nor_used_again(
    own_qbittorrent_of_each_version: RealQBittorrent,
) -> None:
    default = 0
    real = own_qbittorrent_of_each_version
    real.start()
    chosen = real.preferences()["disk_io_type"]  # versions differ in what there is
    assert chosen != default
    real.set_preferences({"disk_io_type": default})
    assert real.preferences()["disk_io_type"] == default
    real.stop()

    real.start()

    assert real.preferences()["disk_io_type"] == chosen


def test_neither_a_proxy_nor_an_api_key_that_somebody_wrote_into_the_profile_holds(
    own_qbittorrent_of_each_version: RealQBittorrent,
) -> None:
    real = own_qbittorrent_of_each_version
    key = "qbt_" + "k" * 28
    hand_written: Settings = {
        "Network": {r"Proxy\Type": "SOCKS5", r"Proxy\IP": "127.0.0.1"},
        "Preferences": {r"WebUI\APIKey": key},
        "WebUI": {"APIKey": key},
    }
    real.start(hand_written)
    assert real.preferences()["proxy_type"] in ("SOCKS5", 2)
    let_in = asks_for_preferences(real, key)
    assert let_in == ("web_ui_api_key" in real.preferences())  # since 5.2
    real.stop()

    real.start()

    assert real.preferences()["proxy_type"] in ("None", 0)
    assert not asks_for_preferences(real, key)


def asks_for_preferences(real: RealQBittorrent, key: str) -> bool:
    """Whether it answers to the API key."""
    connection = http.client.HTTPConnection("127.0.0.1", real.options.web_port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v2/app/preferences", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        answer.read()
    return answer.status == 200
