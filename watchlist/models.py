"""Shows and what is known of them, who follows which, and what was taken for whom.

Lock order: the person (`feeds.querysets.lock_person` by way of feeds' services), then links, then entries by id, then
candidates; what feeds and torrents lock comes after. Shows, relations and episodes are shared by everybody and written
by synchronisation alone, in the order of their ids.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from proxy_site.encryption import EncryptedTextField
from watchlist import querysets

NAME = 300  # characters of a title


class Provider(models.Model):
    """A service that knows shows: one budget of requests and one breaker for everybody on this box."""

    name = models.CharField(max_length=32, primary_key=True, help_text="As in the registry.")
    asked_at = ArrayField(
        models.DateTimeField(),
        default=list,
        help_text="Its requests of the last minute, counted before each.",
    )
    blocked_until = models.DateTimeField(null=True, help_text="It asked us to wait, or does not work.")
    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    message = models.TextField(blank=True, help_text="What is the matter, in words for people.")
    asked_for = ArrayField(
        models.CharField(max_length=8), default=list, help_text="What each of them was for: budget.Purpose."
    )
    airing_at = models.DateTimeField(null=True, help_text="No airing time that is followed is older.")
    airing_leased_until = models.DateTimeField(null=True, help_text="A worker reads airing times.")
    details_leased_until = models.DateTimeField(null=True, help_text="A worker reads shows.")

    def __str__(self) -> str:
        return self.name


class Show(models.Model):
    """One season or cour, film or special, as its provider counts them."""

    provider = models.CharField(max_length=32)
    external_id = models.CharField(max_length=64)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Who typed it in; NULL: everybody's.",
    )
    romaji = models.CharField(max_length=NAME, blank=True)
    english = models.CharField(max_length=NAME, blank=True)
    native = models.CharField(max_length=NAME, blank=True)
    synonyms = ArrayField(models.CharField(max_length=NAME), default=list, blank=True)
    format = models.CharField(max_length=16, blank=True, help_text="TV, MOVIE, OVA, …")
    status = models.CharField(max_length=24, blank=True, help_text="RELEASING, FINISHED, …")
    episodes = models.IntegerField(null=True, help_text="How many there will be, where that is known.")
    season_year = models.IntegerField(null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    is_adult = models.BooleanField(default=False)
    site_url = models.CharField(max_length=500, blank=True)
    mal_id = models.IntegerField(null=True)
    fetched_at = models.DateTimeField(null=True, help_text="NULL: only mentioned by another show.")
    relations_at = models.DateTimeField(null=True, help_text="When its relations were read.")
    airing_at = models.DateTimeField(null=True, help_text="When its airing times were last read.")

    objects = querysets.ShowQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "external_id"], name="show_once"),)

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.english or self.romaji or self.native


class Relation(models.Model):
    """`other` is the `kind` (SEQUEL, PREQUEL, …) of `show`."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(max_length=24)
    other = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["show", "kind", "other"], name="relation_once"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.show_id}"


class Episode(models.Model):
    """When an episode airs or aired."""

    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="airings")
    number = models.IntegerField()
    airs_at = models.DateTimeField()

    objects = querysets.EpisodeQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["show", "number"], name="episode_once"),)
        indexes = (models.Index(fields=["airs_at"], name="episode_time"),)

    def __str__(self) -> str:
        return f"{self.show_id} {self.number}"


class Search(models.Model):
    """What a provider found for a text that somebody looked for: others who type the same ask nobody."""

    provider = models.CharField(max_length=32)
    text = models.CharField(max_length=100, help_text="As searches are compared.")
    shows = ArrayField(models.BigIntegerField(), default=list, help_text="The likeliest first.")
    asking_until = models.DateTimeField(null=True, help_text="Somebody asks for it at this moment.")
    found_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "text"], name="search_once"),)

    def __str__(self) -> str:
        return self.text


class RelationRules(models.Model):
    """The last good copy of the rules that redirect numbers running across seasons: see matching.redirects."""

    url = models.TextField(unique=True)
    text = models.TextField(blank=True)
    etag = models.TextField(blank=True)
    last_modified = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.url


class Link(models.Model):
    """One person's account at a provider, whose list is followed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watch_links")
    provider = models.CharField(max_length=32)
    external_id = models.CharField(max_length=64, blank=True, help_text="Empty: not verified yet.")
    name = models.CharField(max_length=100, blank=True, help_text="As the provider writes it.")
    token = EncryptedTextField(blank=True, help_text="Empty: linked by public name.")
    token_ends_at = models.DateTimeField(null=True)
    statuses = ArrayField(
        models.CharField(max_length=16),
        default=list,
        help_text="Of the shows that are followed by themselves.",
    )
    include_adult = models.BooleanField(default=False)
    next_sync_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, help_text="A worker reads the list.")
    long = models.BooleanField(
        default=False, help_text="Its list is too long to be read whole: only what is followed of it is."
    )
    asked_at = models.DateTimeField(null=True, help_text="Its owner wanted it to be read at once.")
    synced_at = models.DateTimeField(null=True, help_text="As old is what was read last.")
    failing_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0, help_text="In a row.")
    message = models.TextField(blank=True, help_text="What is the matter and what to do, in words.")
    linked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "provider"], name="link_once"),)
        indexes = (models.Index(fields=["next_sync_at"], name="link_due"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.name}"


class Wishes(models.Model):
    """Which releases somebody wants. NULL: as in their preferences, and there as the box has it (wanted.py)."""

    class Batches(models.TextChoices):
        ANY = "any", "single episodes and batches"
        NONE = "none", "no batches"
        ONLY = "only", "batches only"

    groups = ArrayField(
        models.CharField(max_length=100), null=True, blank=True, help_text="Preferred, the best first."
    )
    only_groups = models.BooleanField(null=True, help_text="Nothing of other groups.")
    refused_groups = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    resolutions = ArrayField(
        models.CharField(max_length=16),
        null=True,
        blank=True,
        help_text="The wanted ones, best first; none: any.",
    )
    languages = ArrayField(
        models.CharField(max_length=32),
        null=True,
        blank=True,
        help_text="A release that states languages must state one of these; none: any.",
    )
    must_not_contain = models.CharField(max_length=1000, null=True, blank=True, help_text="Words.")  # noqa: DJ001
    batches = models.CharField(max_length=8, choices=Batches, null=True)  # noqa: DJ001
    specials = models.BooleanField(
        null=True, help_text="Also OVAs and specials released under the show's name."
    )
    newer_versions = models.BooleanField(null=True, help_text="Replace by a v2 of the same group.")
    delay_seconds = models.IntegerField(null=True, help_text="Wait that long for a better release.")
    stalled_hours = models.IntegerField(
        null=True, help_text="Without a byte for that long, the next release is tried; 0: never."
    )
    start_paused = models.BooleanField(null=True)
    label = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001

    class Meta:
        abstract = True


class Preferences(Wishes):
    """What one person wants where an entry says nothing else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="watch_preferences"
    )

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Entry(Wishes):
    """One person follows one show."""

    class Origin(models.TextChoices):
        SEARCH = "search"
        LIST = "list"
        HAND = "hand"

    class State(models.TextChoices):
        FOLLOWED = "followed"
        PAUSED = "paused", "by its owner"
        ENDED = "ended", "everything wanted of it is there"
        LEFT = "left", "no longer where its owner keeps what they follow, on their list"
        REMOVED = "removed", "by its owner, though their list still has it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watch_entries")
    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="entries")
    origin = models.CharField(max_length=8, choices=Origin)
    state = models.CharField(max_length=16, choices=State, default=State.FOLLOWED)
    state_before = models.CharField(
        max_length=16, choices=State, blank=True, help_text="While it is removed: what it returns to."
    )
    list_status = models.CharField(max_length=16, blank=True, help_text="Empty: not on a list.")
    list_progress = models.IntegerField(default=0, help_text="Episodes watched, as the list says.")
    from_episode = models.IntegerField(default=1, help_text="Nothing before this one is wanted.")
    offset = models.IntegerField(
        default=0, help_text="Added to the number in a release's name to get the episode of the show."
    )
    end_with_show = models.BooleanField(default=True, help_text="Is `ended` once the last episode is there.")
    look_back = models.BooleanField(
        default=True, help_text="Stored items are still to be looked through for it."
    )
    added_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects = querysets.EntryQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "show"], name="entry_once"),)
        indexes = (models.Index(fields=["user"], name="entry_look_back", condition=Q(look_back=True)),)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.show_id}"


class Alias(models.Model):
    """What one person said a name in releases means."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME, help_text="As its owner wrote or saw it.")
    key = models.CharField(max_length=NAME, help_text="As names are compared: matching.titles.")
    season = models.IntegerField(
        null=True, help_text="Only where a release states this season; NULL: none stated."
    )
    show = models.ForeignKey(
        Show, on_delete=models.CASCADE, null=True, related_name="aliases", help_text="NULL: none of theirs."
    )
    made_at = models.DateTimeField(db_default=Now())

    objects = querysets.AliasQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "key", "season"], name="alias_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return self.name


class Reading(models.Model):
    """How far the watchlist of a subscription's owner has read its feed."""

    subscription = models.OneToOneField(
        "feeds.Subscription", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    source = models.BigIntegerField(help_text="The feed that the position is of: subscriptions move.")
    position = models.BigIntegerField(help_text="Number of the last item seen.")
    since = models.DateTimeField(help_text="As the subscription's; another one: it is read anew from then.")

    objects = querysets.ReadingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.position}"


class Candidate(models.Model):
    """A release that may be taken for an entry: everything that its owner's wishes allow."""

    class State(models.TextChoices):
        FOUND = "found", "may be taken"
        TAKEN = "taken", "is to be downloaded, or is downloading"
        HAVE = "have", "is there"
        REPLACED = "replaced", "was, until a better one was there"
        FAILED = "failed", "could not be had"
        STALLED = "stalled", "came to a stop, and another was tried"
        REMOVED = "removed", "its owner removed its torrent before it was there"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="candidates")
    item = models.ForeignKey("feeds.Item", on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=500)
    group = models.CharField(max_length=100, blank=True)
    version = models.IntegerField(default=1)
    numbers = ArrayField(models.FloatField(), help_text="Episodes of the show that it holds; 12.5 is one.")
    special = models.CharField(max_length=8, blank=True, help_text="OVA, SP, …: then `numbers` count these.")
    preference = ArrayField(
        models.IntegerField(), default=list, help_text="Smaller is better, as lists compare."
    )
    state = models.CharField(max_length=16, choices=State, default=State.FOUND)
    message = models.TextField(blank=True, help_text="Why it could not be had, in words.")
    download = models.ForeignKey(
        "feeds.Grab", on_delete=models.SET_NULL, null=True, related_name="+", help_text="Adding it."
    )
    claim_id = models.UUIDField(null=True, help_text="Of the torrent it became, which may be gone.")
    leaving = models.BooleanField(
        default=False, help_text="It was given up, and its torrent is still to be removed."
    )
    looked_at = models.DateTimeField(null=True, help_text="When its torrent was last looked at.")
    bytes_done = models.BigIntegerField(null=True, help_text="Of its torrent, then; NULL: size unknown.")
    idle_seconds = models.IntegerField(
        default=0,
        help_text="Without a byte, though nothing but its swarm kept it. Pauses and waits do not count.",
    )
    found_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    objects = querysets.CandidateQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["entry", "item"], name="candidate_once"),)
        indexes = (
            models.Index(fields=["entry"], name="candidate_open", condition=Q(state__in=("found", "taken"))),
            models.Index(fields=["entry"], name="candidate_leaving", condition=Q(leaving=True)),
        )

    def __str__(self) -> str:
        return self.title


class Grab(models.Model):
    """One episode of one entry, and the release that it comes from: one grab an episode, by constraint."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="grabs")
    special = models.CharField(max_length=8, blank=True)
    number = models.FloatField()
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="grabs")
    successor = models.ForeignKey(
        Candidate,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The better release that takes its place once it is there.",
    )
    made_at = models.DateTimeField(db_default=Now())

    objects = querysets.WatchGrabQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["entry", "special", "number"], name="watch_grab_once"),
        )

    def __str__(self) -> str:
        return f"{self.special}{self.number:g}"


class Decision(models.Model):
    """What became of an item that is, or may be, of a show that somebody follows."""

    class Outcome(models.TextChoices):
        TAKEN = "taken", "it may be had: what became of it, its candidate tells"
        NEARLY = "nearly", "of the show, and not as its follower wants it"
        HAD = "had", "of an episode that is there or under way"
        REVIEW = "review", "of which show, its follower must say"
        SETTLED = "settled", "its follower has said so"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey("feeds.Item", on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, null=True, related_name="decisions")
    outcome = models.CharField(max_length=16, choices=Outcome)
    reasons = models.JSONField(default=list, help_text='[{"what", "got", "wanted"}]')
    shows = ArrayField(
        models.BigIntegerField(), default=list, help_text="Shows that it may be of, the likeliest first."
    )
    at = models.DateTimeField(db_default=Now())

    objects = querysets.WatchDecisionQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "item"], name="watch_decision_once"),)
        indexes = (
            models.Index(fields=["user", "-id"], name="watch_decision_newest"),
            models.Index(fields=["user"], name="watch_review", condition=Q(outcome="review")),
            models.Index(fields=["at"], name="watch_decision_age"),
        )

    def __str__(self) -> str:
        return f"{self.outcome} {self.item_id}"
