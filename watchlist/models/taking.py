"""What was found for whom, what was taken of it, and how far their feeds are read."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from watchlist import querysets
from watchlist.models.following import Entry


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
