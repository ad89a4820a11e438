"""Deciding soon what a change has made possible; it would be decided within a minute anyway."""

from django_q.tasks import async_task


def look_soon() -> None:
    async_task("watchlist.tasks.decide")  # joins the transaction
