"""Accounts at services where people keep lists of shows, and how following these goes."""

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import feed_words, watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.link_account import LinkByCodeScreen, LinkByNameScreen
from torrent_proxy_client.app.screens.list_statuses import ListStatusesScreen, UnlinkScreen
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.watchlist_accounts import Account, Provider

_NOT_LINKED = "Not linked. n links it by your public name there, c by a code, which private lists need."


class AccountsScreen(TableScreen):
    BINDINGS = [
        Binding("n", "by_name", "by name"),
        Binding("c", "by_code", "by code"),
        Binding("y", "sync", "sync now"),
        Binding("e", "statuses", "which shows"),
        Binding("d", "unlink", "unlink"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    COLUMNS = (
        Column("service", 14),
        Column("account"),
        Column("state", 12),
        Column("last synced", 11),
        Column("next", 10),
    )

    def __init__(self, api: ApiClient) -> None:
        super().__init__(api)
        self._providers: dict[str, Provider] = {}
        self._accounts: dict[str, Account] = {}

    async def ask(self) -> None:
        providers = await self.api.watchlist.providers()
        accounts = await self.api.watchlist.accounts()
        # Together: between two answers a row may be selected.
        self._providers = {one.name: one for one in providers if one.by_name or one.by_code}
        self._accounts = {one.provider: one for one in accounts}

    def draw(self) -> None:
        self.head("Your lists", words.count(len(self._accounts), "account") + " linked")
        self.warn(watchlist_words.trouble(self._providers.values()))
        rows = {
            name: _cells(provider, self._accounts.get(name)) for name, provider in self._providers.items()
        }
        self.show_rows(rows, "This server knows no service where you could keep a list.")

    def about(self, key: str) -> Text:
        account = self._accounts.get(key)
        text = Text("\n".join(watchlist_words.told_account(account)) if account else _NOT_LINKED)
        return text.append(f"\n{watchlist_words.UNOFFICIAL.get(key, '')}", style=QUIET)

    @property
    def _provider(self) -> Provider | None:
        return self._providers.get(self.rows.selected)

    @property
    def _account(self) -> Account | None:
        """The selected one; says so where there is none."""
        account = self._accounts.get(self.rows.selected)
        if account is None and self._provider:
            self.tell("Not linked yet: n links it by name, c by a code")
        return account

    @work(exit_on_error=False)
    async def action_by_name(self) -> None:
        if provider := self._provider:
            if provider.by_name:
                self._linked(await self.app.push_screen_wait(LinkByNameScreen(self.api, provider)))
            else:
                self.tell(f"{watchlist_words.provider_title(provider)} can only be linked by a code: press c")

    @work(exit_on_error=False)
    async def action_by_code(self) -> None:
        if provider := self._provider:
            if provider.by_code:
                self._linked(await self.app.push_screen_wait(LinkByCodeScreen(self.api, provider)))
            else:
                self.tell("This server cannot link it by a code: press n. Whoever runs it can set that up")

    def _linked(self, account: Account | None) -> None:
        if account:
            when = "as soon as its service answers" if account.message else "in a moment"
            self.tell(f"{watchlist_words.linked(account)}; the list is read {when}")
            self.look()

    @property
    def _reading(self) -> str:
        provider = self._provider
        if provider and provider.blocked_until:
            return f"The list is read when {watchlist_words.provider_title(provider)} is asked again"
        return "The list is being read"

    @work(exit_on_error=False)
    async def action_sync(self) -> None:
        if account := self._account:
            asked = await self.answer(self.api.watchlist.sync(account.provider))
            if asked is None:
                return
            self.tell(self._reading if asked else "The list was read a moment ago")
            self.look()

    @on(DataTable.RowSelected)
    @work(exit_on_error=False)
    async def action_statuses(self) -> None:
        if not self.is_active or (account := self._account) is None:
            return
        if await self.app.push_screen_wait(ListStatusesScreen(self.api, account)):
            self.tell("Saved; it holds with the next sync")
            self.look()

    @work(exit_on_error=False)
    async def action_unlink(self) -> None:
        if account := self._account:
            keep = await self.app.push_screen_wait(UnlinkScreen(account))
            if keep is not None:
                stay = "its shows stay followed" if keep else "its shows are followed no more"
                await self.done(
                    self.api.watchlist.unlink(account.provider, keep=keep),
                    f"Unlinked {words.clean(account.name or account.provider)}; {stay}",
                )

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


def _cells(provider: Provider, account: Account | None) -> list[str]:
    return [
        watchlist_words.provider_title(provider),
        words.clean(account.name) if account else "",
        watchlist_words.account_state(account),
        feed_words.ago(account.synced_at) if account else "",
        feed_words.due(account.next_sync_at) if account else "",
    ]
