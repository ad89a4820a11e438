from django.urls import path

from watchlist.api.decision_views import ReviewsView, ReviewView, WatchDecisionsView, WatchPreviewView
from watchlist.api.entry_views import (
    AliasesView,
    AliasView,
    CalendarView,
    CandidatesView,
    EntriesView,
    EntryView,
    EpisodesView,
    RestoreView,
    TakeView,
)
from watchlist.api.link_views import (
    LinksView,
    LinkView,
    PreferencesView,
    ProvidersView,
    ShowsView,
    SyncView,
)

urlpatterns = [
    path("watchlist/", EntriesView.as_view(), name="watchlist"),
    path("watchlist/calendar/", CalendarView.as_view(), name="watchlist-calendar"),
    path("watchlist/decisions/", WatchDecisionsView.as_view(), name="watchlist-decisions"),
    path("watchlist/links/", LinksView.as_view(), name="watchlist-links"),
    path("watchlist/links/<slug:provider>/", LinkView.as_view(), name="watchlist-link"),
    path("watchlist/links/<slug:provider>/sync/", SyncView.as_view(), name="watchlist-link-sync"),
    path("watchlist/preferences/", PreferencesView.as_view(), name="watchlist-preferences"),
    path("watchlist/preview/", WatchPreviewView.as_view(), name="watchlist-preview"),
    path("watchlist/providers/", ProvidersView.as_view(), name="watchlist-providers"),
    path("watchlist/review/", ReviewsView.as_view(), name="watchlist-reviews"),
    path("watchlist/review/<int:decision_id>/", ReviewView.as_view(), name="watchlist-review"),
    path("watchlist/shows/", ShowsView.as_view(), name="watchlist-shows"),
    path("watchlist/<uuid:entry_id>/", EntryView.as_view(), name="watchlist-entry"),
    path("watchlist/<uuid:entry_id>/aliases/", AliasesView.as_view(), name="watchlist-aliases"),
    path("watchlist/<uuid:entry_id>/aliases/<int:alias_id>/", AliasView.as_view(), name="watchlist-alias"),
    path("watchlist/<uuid:entry_id>/candidates/", CandidatesView.as_view(), name="watchlist-candidates"),
    path(
        "watchlist/<uuid:entry_id>/candidates/<int:candidate_id>/take/",
        TakeView.as_view(),
        name="watchlist-candidate-take",
    ),
    path("watchlist/<uuid:entry_id>/episodes/", EpisodesView.as_view(), name="watchlist-episodes"),
    path("watchlist/<uuid:entry_id>/restore/", RestoreView.as_view(), name="watchlist-restore"),
]
