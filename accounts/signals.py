"""What other apps may want to hear of accounts, which must not know them."""

from django.dispatch import Signal

# Whatever lets somebody act for `user` without logging in again shall end. Sent in the transaction that ends the
# user's sessions, with `user` (accounts.models.User); a receiver that fails undoes it all.
access_ended = Signal()
