"""What one person wants of every show of which they said nothing else."""

from typing import Any

from django.db import transaction

from accounts.models import User
from feeds.services import lock_person
from watchlist.models import Entry, Preferences
from watchlist.waking import look_soon
from watchlist.wishes import WishRefused, change, refuse_nonsense


def preferences_of(user: User) -> Preferences:
    """Not saved, and without wishes, where they have stated none."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


@transaction.atomic
def change_preferences(*, user: User, **wishes: Any) -> Preferences:
    """None: as the box has it. What is stored is looked through again where that may matter. Raises WishRefused."""
    lock_person(user.pk)
    preferences = preferences_of(user)
    judge_anew = change(preferences, wishes)
    refuse_nonsense(preferences)
    entries = Entry.objects.filter(user=user)
    if not preferences.groups and entries.filter(only_groups=True, groups=None).exists():
        raise WishRefused(
            "Of some shows you want your preferred groups only. Name groups, or change these shows first.",
            field="groups",
        )
    preferences.save()
    if judge_anew and entries.filter(state=Entry.State.FOLLOWED).update(look_back=True):
        look_soon()
    return preferences
