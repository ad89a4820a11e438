"""People who have something of everything, and what of it nobody else may ever see."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncssh
from django.forms.models import model_to_dict

from accounts import ssh_keys, transfer_credentials
from accounts.audit import By
from accounts.models import DeviceSession, SshKey, TransferCredential, User
from accounts.sessions import access_token, open_session, refresh_token
from feeds.models import Decision, Grab, Item, Rule, Subscription
from feeds.rule_changes import create_rule
from feeds.services import subscribe
from tests.fuzz.followed_shows import follow_shows, rows_of
from torrents import claim_wishes, services
from torrents.links import make_link
from torrents.metainfo import Source
from torrents.models import ChangeCounter, Claim, ClaimEvent, Tombstone, Torrent, Traffic
from torrents.tests.factories import add, finished, fresh_magnet, person
from torrents.traffic import record_handover

SHARED_FEED = "https://feeds.example/shared"  # which everybody follows


@dataclass
class Person:
    """`mark` begins every name that this person chose; `secrets` are what answers to others must not hold."""

    user: User
    mark: str
    claims: list[str]
    sessions: list[str]
    keys: list[int]
    credentials: list[str]
    feeds: list[str]
    rules: list[str]
    watched: dict[str, list[object]]
    link: str
    refresh: str
    secrets: dict[str, str]
    numbers: list[int]
    session: DeviceSession | None = field(default=None, repr=False)  # of the client that they use now

    def named(self, parameter: str) -> Sequence[object]:
        """What of theirs a path's parameter of this name may name."""
        match parameter:
            case "claim_id":
                return self.claims
            case "session_id":
                return self.sessions
            case "key_id":
                return self.keys
            case "credential_id":
                return self.credentials
            case "feed_id":
                return self.feeds
            case "rule_id":
                return self.rules
            case "number":
                return [1]
            case "index":
                return [0, 1]
            case _:
                return self.watched.get(parameter, ())

    def log_in(self) -> None:
        self.session = open_session(user=self.user, device_name=f"{self.mark} fuzzing")

    @property
    def token(self) -> str:
        """Fresh each time: a search lasts longer than one."""
        assert self.session is not None
        return str(access_token(self.session))

    def leaked_into(self, answer: str, *, request: str) -> list[str]:
        """What of this person is in somebody else's answer, where they had not named it themselves."""
        found = [what for secret, what in self.secrets.items() if secret in answer and secret not in request]
        digits = set(re.findall(r"\d{9,}", answer)) - set(re.findall(r"\d{9,}", request))
        return found + [f"the number {number}" for number in self.numbers if str(number) in digits]

    def rows(self) -> dict[tuple[str, Any], dict[str, Any]]:
        """All that is theirs, as it is stored, by kind and key."""
        kept: dict[tuple[str, Any], dict[str, Any]] = {
            ("User", self.user.pk): model_to_dict(User.objects.get(pk=self.user.pk))
        }
        for rows in (
            ChangeCounter.objects,
            Claim.with_removed,
            ClaimEvent.objects,
            Decision.objects,
            DeviceSession.objects,
            Grab.objects,
            Rule.objects,
            SshKey.objects,
            Subscription.objects,
            Tombstone.objects,
            Traffic.objects,
            TransferCredential.objects,
        ):
            found = rows.filter(user=self.user)
            kept |= {(found.model._meta.label, row.pk): model_to_dict(row) for row in found}
        for watched in rows_of(self.user):
            kept |= {(watched.model._meta.label, row.pk): model_to_dict(row) for row in watched}
        return kept


def _follow(user: User, mark: str, url: str) -> str:
    """A feed with one item, and a rule that has taken it; its id."""
    subscription = subscribe(user=user, url=url, name=f"{mark} feed")
    source = subscription.source
    item, _made = Item.objects.get_or_create(
        source=source,
        number=1,
        defaults={
            "key": uuid.uuid4(),
            "title": "Lighthouse - 01" if url == SHARED_FEED else f"{mark} - 01",
            "download": f"https://feeds.example/1.torrent?passkey={source.pk}",
            "release": {},
        },
    )
    name = f"{mark} rule {source.pk}"
    rule = create_rule(user=user, name=name, must_contain=mark, subscriptions=[subscription.pk])
    Decision.objects.create(user=user, item=item, rule=rule, rule_name=name, outcome="taken")
    Grab.objects.create(
        user=user,
        item=item,
        rule=rule,
        origin_detail=name,
        title=item.title,
        download=item.download,
        state=Grab.State.FAILED,
        message=f"{mark} failed.",
        due_at=datetime.now(UTC),
    )
    return str(subscription.pk)


def somebody(name: str, *, number: int, shared: Source) -> Person:
    """Somebody with sessions, keys and torrents in every state; `number` makes their sums unlike anybody else's.
    They also hold `shared`, as others do."""
    user = person(name)
    User.objects.filter(pk=user.pk).update(monthly_traffic_limit=100 * number)  # of which they have used some
    mark = f"{name}-only-{number}"
    ChangeCounter.objects.create(user=user, value=number)
    film = finished(
        user, {f"{mark}/film.mkv": b"film" * 999, f"{mark}/more.txt": b"more"}, name=f"{mark} film"
    )
    one = finished(user, {f"{mark}.iso": b"iso" * 999}, name=f"{mark} iso")
    running = add(user, fresh_magnet(f"{mark} running"))
    paused = add(user, fresh_magnet(f"{mark} paused"), paused=True)
    held = [film, one, running, paused]
    gone, together = add(user, fresh_magnet(f"{mark} removed")), add(user, shared)
    for claim in [*held, gone, together]:
        claim_wishes.change_wishes(claim=claim, wishes={"label": f"{mark} label", "upload_limit": number + 1})
    services.remove_torrent(claim=gone)
    Torrent.objects.filter(pk__in=[held[2].torrent_id, held[3].torrent_id]).update(size=number + 2)
    record_handover(claim_id=film.pk, channel=Traffic.Channel.HTTPS, sent=number + 3)
    Traffic.objects.create(
        user=user, day=datetime.now(UTC).date(), channel=Traffic.Channel.SFTP, sent=number + 4
    )

    session = open_session(user=user, device_name=f"{mark} phone")
    private_key = asyncssh.generate_private_key("ssh-ed25519", comment=f"{mark} key")
    key = ssh_keys.add_key(user=user, public_key=private_key.export_public_key().decode(), by=By())
    credential, password = transfer_credentials.make_credential(user=user, by=By())
    feeds = [
        _follow(user, mark, f"https://feeds.example/{mark}?passkey={mark}"),
        _follow(user, mark, SHARED_FEED),
    ]
    rules = [str(rule.pk) for rule in Rule.objects.of(user)]
    watched = follow_shows(user, mark, Subscription.objects.get(pk=feeds[0]).source)
    claims = [str(claim.pk) for claim in [*held, gone, together]]
    link = make_link(claim=film, index=0).token
    own = Torrent.objects.filter(pk__in=[claim.torrent_id for claim in [*held, gone]])
    secrets = {mark: "a name", link: "a link", password: "a transfer password", key.fingerprint: "a key"}
    secrets |= dict.fromkeys(claims, "a torrent's id")
    secrets |= dict.fromkeys(feeds, "a feed") | dict.fromkeys(rules, "a rule")
    secrets |= dict.fromkeys(map(str, watched["entry_id"]), "a show that they follow")
    secrets |= {str(session.pk): "a session", str(credential.pk): "a credential"}
    secrets |= {str(torrent.pk): "the name of a folder on the box" for torrent in own}
    secrets |= {torrent.infohash_v1 or "": "an infohash" for torrent in own}
    made = Person(
        user=user,
        mark=mark,
        claims=claims,
        sessions=[str(session.pk)],
        keys=[key.pk],
        credentials=[str(credential.pk)],
        feeds=feeds,
        rules=rules,
        watched=watched,
        link=link,
        refresh=refresh_token(session.pk, 0),
        secrets=secrets,
        numbers=[number + more for more in range(1, 9)],
    )
    made.log_in()
    return made
