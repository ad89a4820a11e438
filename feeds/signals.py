"""What other apps may hear of feeds. It only wakes: what they missed they find by their positions."""

from django.dispatch import Signal

items_stored = Signal()  # no arguments; sent after commits that stored new items, once for many of them
