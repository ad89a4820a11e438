from django.urls import path

from feeds.api.views import (
    CheckView,
    DecisionsView,
    FeedsView,
    FeedView,
    GrabView,
    ItemsView,
    ItemView,
    PreviewView,
    RulesView,
    RuleView,
)

urlpatterns = [
    path("feeds/", FeedsView.as_view(), name="feeds"),
    path("feeds/<uuid:feed_id>/", FeedView.as_view(), name="feed"),
    path("feeds/<uuid:feed_id>/check/", CheckView.as_view(), name="feed-check"),
    path("feeds/<uuid:feed_id>/items/", ItemsView.as_view(), name="feed-items"),
    path("feeds/<uuid:feed_id>/items/<int:number>/", ItemView.as_view(), name="feed-item"),
    path("feeds/<uuid:feed_id>/items/<int:number>/grab/", GrabView.as_view(), name="feed-item-grab"),
    path("rules/", RulesView.as_view(), name="rules"),
    path("rules/preview/", PreviewView.as_view(), name="rules-preview"),
    path("rules/<uuid:rule_id>/", RuleView.as_view(), name="rule"),
    path("me/decisions/", DecisionsView.as_view(), name="me-decisions"),
]
