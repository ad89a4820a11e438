"""How often one person may have a provider asked while they wait: its budget is everybody's."""

from rest_framework.exceptions import Throttled
from rest_framework.throttling import UserRateThrottle


class Linking(UserRateThrottle):
    """Counted by each web process for itself, so this is a rough bound, which is enough."""

    scope = "linking"
    rate = "10/hour"


class LinkedTooOften(Throttled):
    default_detail = "You have linked accounts often enough for now."
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."
