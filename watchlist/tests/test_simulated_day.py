"""Two hours of a small box, storms included: as `python -m benchmarks.watchlist` has a whole day of a full one."""

from datetime import timedelta

import pytest

from watchlist.tests.anilist_server import DISABLED, LIMITED
from watchlist.tests.simulated_day import LIMIT, Day, Storm

STORMS = (Storm(5, 4, LIMITED), Storm(15, 15, DISABLED), Storm(50, 2, LIMITED), Storm(52, 3, DISABLED))


@pytest.mark.django_db
def test_a_box_in_storms_keeps_what_it_promises() -> None:
    with Day(people=4, shows=12, storms=STORMS) as day:
        day.live(minutes=75)
        day.settle()
        assert day.refused > 0
        assert day.server.most_in(60) <= LIMIT
        assert timedelta(minutes=day.oldest_list) <= timedelta(minutes=60)
        assert timedelta(minutes=day.oldest_airing) <= timedelta(minutes=30)
        assert day.lists_that_differ() == 0
        assert day.airing_times_that_differ() == 0
