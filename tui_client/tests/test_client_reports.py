"""What a person wants of a torrent, and what the server tells on request."""

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import BadAnswer, Refused
from torrent_proxy_client.reports import Event, Swarm, Usage
from tui_client.tests.fake_account import limits
from tui_client.tests.fake_server import FakeServer


async def test_wishes_are_sent_as_they_are_and_what_is_left_out_stays(
    server: FakeServer, api: ApiClient
) -> None:
    film = server.add_torrent("film", {"a": b"1", "b": b"2"}, label="tv")
    changed = await api.change(film.id, {"files": [1], "seed_ratio": 2})
    assert server.changed == [{"files": [1], "seed_ratio": 2}]
    assert (changed.label, changed.seed_ratio) == ("tv", 2.0)
    assert [(file.wanted, file.choosable) for file in await api.files(film.id)] == [
        (False, True),
        (True, True),
    ]


async def test_what_an_older_server_does_not_tell_is_left_empty(server: FakeServer, api: ApiClient) -> None:
    server.is_old = True
    server.add_torrent("film", {"a": b"1"})
    ((_, torrent),) = (await api.mirror()).torrents.items()
    assert (torrent.label, torrent.waits_for, torrent.seed_ratio, torrent.download_limit) == (
        "",
        "",
        None,
        None,
    )
    (file,) = await api.files(torrent.id)
    assert (file.wanted, file.choosable, file.progress) == (True, False, None)
    with pytest.raises(Refused) as refused:
        await api.usage()
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Swarm, {"trackers_working": "many"}),
        (Swarm, []),
        (Usage, {"disk": {"used": 1}}),
        (Usage, {**limits(), "traffic_resets_on": "soon"}),
        (Usage, {**limits(), "waiting": [{"torrents": 1}]}),
        (Usage, {**limits(), "fetched": {"https": "much"}}),
        (Event, {"at": "yesterday"}),
        (Event, {"kind": 7}),
    ],
)
def test_reports_that_make_no_sense_are_a_bad_answer(
    kind: type[Swarm] | type[Usage] | type[Event], data: object
) -> None:
    with pytest.raises(BadAnswer):
        kind.from_json(data)
