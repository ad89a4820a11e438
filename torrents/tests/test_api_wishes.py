"""Changing what one wants of a torrent, and wishes that come with a new one."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from torrents.engines.base import MAX_LIMIT
from torrents.metainfo import Source
from torrents.models import Claim, Torrent
from torrents.tests.factories import add, client_of, finished, fresh_magnet, magnet

LIST = "/api/v1/torrents/"


@pytest.fixture
def claim(alice: User, downloads: Any) -> Claim:
    """A finished torrent of three files."""
    return finished(alice, {"show/a": b"1", "show/b": b"22", "show/c": b"333"}, name="show")


def patch(claim: Claim, body: dict[str, Any], *, user: User | None = None) -> Any:
    return client_of(user or claim.user).patch(f"{LIST}{claim.pk}/", body, format="json")


def test_every_wish_is_kept_and_shown(claim: Claim) -> None:
    wishes = {
        "label": "for the train",
        "download_limit": 5000,
        "upload_limit": 2000,
        "seed_ratio": 1.5,
        "seed_seconds": 3600,
        "sequential": True,
    }
    response = patch(claim, wishes)
    assert response.status_code == 200
    assert {name: response.json()[name] for name in wishes} == wishes
    assert response.json()["change"] > claim.change


def test_what_is_left_out_stays_and_null_takes_it_back(claim: Claim) -> None:
    patch(claim, {"label": "x", "download_limit": 5000, "seed_ratio": 2, "files": [0]})
    answer = patch(claim, {"download_limit": None}).json()
    assert (answer["label"], answer["download_limit"], answer["seed_ratio"]) == ("x", None, 2.0)
    assert answer["size"] == 1
    answer = patch(claim, {"seed_ratio": None, "files": None, "label": ""}).json()
    assert (answer["label"], answer["seed_ratio"], answer["size"]) == ("", None, 6)


def test_choosing_all_files_is_choosing_no_file_in_particular(claim: Claim) -> None:
    patch(claim, {"files": [2, 0, 1, 1]})
    assert Claim.objects.get().chosen_files is None
    patch(claim, {"files": [2, 0, 2]})
    assert Claim.objects.get().chosen_files == [0, 2]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"files": []}, "Choose at least one file; null means all of them."),
        ({"files": [0, 7]}, "This torrent has no file 7: its files are 0 to 2."),
        ({"files": [-1]}, "Files are numbered from 0."),
        ({"files": [10**30]}, "No torrent here has more than 20000 files."),
        ({"files": ["one.mkv"]}, "Name files by their numbers, as the list of files has them."),
        ({"files": [0] * 20_001}, "No torrent here has more than 20000 files."),
        ({"files": "all"}, 'Expected a list of items but got type "str".'),
        ({"download_limit": -1}, f"A limit is 1024 to {MAX_LIMIT} bytes a second; null means none."),
        ({"download_limit": 0}, f"A limit is 1024 to {MAX_LIMIT} bytes a second; null means none."),
        ({"upload_limit": 10**40}, f"A limit is 1024 to {MAX_LIMIT} bytes a second; null means none."),
        ({"upload_limit": "9" * 2000}, f"A limit is 1024 to {MAX_LIMIT} bytes a second; null means none."),
        ({"seed_ratio": -0.1}, "A ratio is 0 to 1000; null means the box's default."),
        ({"seed_ratio": 10**6}, "A ratio is 0 to 1000; null means the box's default."),
        ({"seed_ratio": "nan"}, "A valid number is required."),
        ({"seed_ratio": "inf"}, "A valid number is required."),
        ({"seed_seconds": -1}, "A time is 0 seconds or more; null means the box's default."),
        (
            {"seed_seconds": 10**12},
            "A torrent is given to others for ten years at most; null means the box's default.",
        ),
        ({"label": "x" * 65}, "Ensure this field has no more than 64 characters."),
        ({"sequential": "perhaps"}, "Must be a valid boolean."),
        ({"sequential": None}, "This field may not be null."),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    claim: Claim, body: dict[str, Any], sentence: str
) -> None:
    response = patch(claim, {"label": "changed", **body})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["detail"] == sentence
    assert error["attr"].partition(".")[0] == next(iter(body))
    assert Claim.objects.get().label == ""


def test_somebody_may_wish_not_to_seed_at_all(claim: Claim) -> None:
    assert patch(claim, {"seed_ratio": 0, "seed_seconds": 0}).json()["seed_ratio"] == 0


def test_files_of_a_magnet_cannot_be_chosen_before_they_are_known(alice: User) -> None:
    response = patch(add(alice), {"files": [0]})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["code"] == "unknown_files"
    assert "add it paused and choose then" in error["detail"]


def test_nobody_changes_the_wishes_of_another(claim: Claim, bob: User) -> None:
    assert patch(claim, {"label": "mine"}, user=bob).status_code == 404
    assert Claim.objects.get().label == ""


def test_a_wish_is_its_owners_alone(claim: Claim, bob: User) -> None:
    other = add(bob, magnet(v1=claim.torrent.infohash_v1))
    patch(claim, {"label": "x", "files": [0], "download_limit": 5000})
    other.refresh_from_db()
    assert (other.label, other.chosen_files, other.download_limit) == ("", None, None)


def test_a_torrent_file_can_come_with_wishes(alice: User, show: Source) -> None:
    assert show.metainfo is not None
    upload = SimpleUploadedFile("show.torrent", show.metainfo)
    body = {"metainfo": upload, "files": [1], "label": "x", "download_limit": 5000, "sequential": "true"}
    answer = client_of(alice).post(LIST, body, format="multipart")
    assert answer.status_code == 201
    claim = Claim.objects.get()
    assert (claim.chosen_files, claim.label, claim.download_limit, claim.sequential) == ([1], "x", 5000, True)


def test_a_magnet_can_come_with_wishes_but_with_files_only_if_they_are_known(
    alice: User, claim: Claim
) -> None:
    api = client_of(alice)
    unknown = api.post(LIST, {"source": fresh_magnet().magnet, "files": [0]}, format="json")
    assert unknown.status_code == 400
    assert unknown.json()["errors"][0]["attr"] == "files"
    assert Torrent.objects.count() == 1
    plain = api.post(LIST, {"source": fresh_magnet().magnet, "upload_limit": 2000}, format="json")
    assert (plain.status_code, plain.json()["upload_limit"]) == (201, 2000)


def test_of_a_torrent_that_the_box_has_files_can_be_chosen_at_once(claim: Claim, bob: User) -> None:
    body = {"source": magnet(v1=claim.torrent.infohash_v1).magnet, "files": [2]}
    answer = client_of(bob).post(LIST, body, format="json")
    assert (answer.status_code, answer.json()["size"], answer.json()["state"]) == (201, 3, "finished")


def test_adding_again_changes_no_wishes(claim: Claim) -> None:
    patch(claim, {"label": "mine"})
    body = {"source": magnet(v1=claim.torrent.infohash_v1).magnet, "label": "other", "files": [0]}
    answer = client_of(claim.user).post(LIST, body, format="json")
    assert (answer.status_code, answer.json()["label"], answer.json()["size"]) == (200, "mine", 6)


def test_wishes_of_a_bad_torrent_file_are_not_kept(alice: User, show: Source) -> None:
    assert show.metainfo is not None
    upload = SimpleUploadedFile("show.torrent", show.metainfo)
    answer = client_of(alice).post(LIST, {"metainfo": upload, "files": [0, 5]}, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == "This torrent has no file 5: its files are 0 to 1."
    assert not Claim.objects.exists()
