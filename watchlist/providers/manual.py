"""Shows that people type in themselves: no service, so nothing to ask."""

import datetime
from collections.abc import Collection

from watchlist.providers.base import ProviderError, Trouble
from watchlist.records import AccountRecord, AiringRecord, ListedRecord, ShowRecord


class Manual:
    name = "manual"
    title = "Typed in by hand"
    has_service = False
    links_by_name = False
    links_by_token = False
    code_url = ""

    def search(self, text: str) -> list[ShowRecord]:
        return []

    def shows(self, external_ids: Collection[str]) -> list[ShowRecord]:
        return []

    def airing(
        self, external_ids: Collection[str], since: datetime.datetime, until: datetime.datetime
    ) -> list[AiringRecord]:
        return []

    def account(self, *, name: str = "", token: str = "") -> AccountRecord:
        raise _no_accounts()

    def listed(
        self, account: AccountRecord, token: str = "", statuses: Collection[str] = ()
    ) -> list[ListedRecord]:
        raise _no_accounts()

    def token_ends_at(self, token: str) -> datetime.datetime | None:
        return None


def _no_accounts() -> ProviderError:
    return ProviderError("Shows typed in by hand have no accounts. Link AniList instead.", Trouble.REFUSED)
