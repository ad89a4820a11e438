"""Followed shows to look at, as of now."""

from datetime import UTC, datetime, timedelta

from tui_client.tests.fake_watchlist import FakeWatchlist


def _in(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def add_shows(watchlist: FakeWatchlist, claim: str) -> None:
    """`claim` is the id of a torrent."""
    watchlist.providers[0].update(data_at=_in(-3))
    lighthouse = watchlist.follow(
        watchlist.add_show("Lighthouse of the Northern Sea", romaji="Kita no Umi no Toudai", native="北の海の灯台"),
        list_status="CURRENT",
        list_progress=5,
        summary={
            "aired": 7, "have": 4, "downloading": 1, "found": 1, "missing": 1, "missing_since": _in(-100),
            "next_episode": 8, "next_airs_at": _in(50),
        },
    )  # fmt: skip
    states = ("have", "have", "missing", "have", "have", "downloading", "found", "not_aired", "not_aired")
    for number, state in enumerate(states, 1):
        title = f"[Lumen] Lighthouse - {number:02} (1080p) [ABCD{number:04}].mkv"
        has_release = state in ("have", "downloading", "found")
        watchlist.add_episode(
            lighthouse,
            number,
            state,
            airs_at=_in(168 * (number - 8) + 50),
            missing_since=_in(-100) if state == "missing" else None,
            title=title if has_release else "",
            group="Lumen" if has_release else "",
            version=2 if number == 2 else 1,
            claim_id=claim if state == "have" else None,
            message="Waits until 18:00 for a release of Lumen." if state == "found" else "",
        )
    watchlist.add_episode(lighthouse, 1, "unwanted", special="OVA")
    for group in ("Lumen", "Kestrel [/b]", "Aurora"):
        watchlist.add_candidate(
            lighthouse,
            f"[{group}] Lighthouse - 04 (1080p)",
            4,
            group=group,
            state="have" if group == "Lumen" else "found",
        )
    watchlist.add_candidate(lighthouse, "[Aurora] Lighthouse - 01-06 (720p)", *range(1, 7), group="Aurora")
    harbour = watchlist.add_show("Harbour [/b] Nights", format="ONA", episodes=None, native="港の夜")
    watchlist.follow(harbour, summary={"aired": None, "have": 2}, state="paused")
    done = watchlist.add_show(
        "A Very Long Title of a Show That Ended Last Spring, Second Season", status="FINISHED"
    )
    watchlist.follow(done, summary={"aired": 12, "have": 12}, state="ended")
    second = watchlist.add_show(
        "Lighthouse 2nd Season", year=2027, starts_on="2027-01-07", status="NOT_YET_RELEASED"
    )
    watchlist.add_show("Lighthouse: The Film", format="MOVIE", episodes=1, year=2024, starts_on="2024-07-01")
    for hours, number, state, title in (
        (-20, 7, "have", "Lighthouse of the Northern Sea"),
        (-5, 3, "missing", "Harbour [/b] Nights"),
        (2, 4, "not_aired", "Harbour [/b] Nights"),
        (50, 8, "not_aired", "Lighthouse of the Northern Sea"),
        (52, 2, "not_aired", "北の海の灯台"),
    ):
        watchlist.airings.append(
            {"airs_at": _in(hours), "number": number, "entry_id": lighthouse, "title": title, "state": state}
        )
    watchlist.add_question("[Kestrel] Lighthouse - 13 [1080p][/b].mkv", 1, second)
    watchlist.add_question("Harbour.S02E01.1080p.WEB", harbour)
    watchlist.add_decision(
        "[Lumen] Lighthouse - 04 (1080p)", "taken", show_title="Lighthouse of the Northern Sea"
    )
    why = {"what": "resolutions", "got": "720p", "wanted": "1080p"}
    watchlist.add_decision(
        "[Aurora] Lighthouse - 05 (720p)",
        "nearly",
        show_title="Lighthouse of the Northern Sea",
        reasons=[why],
    )
    watchlist.link(synced_at=_in(-1), next_sync_at=_in(1))
