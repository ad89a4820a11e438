"""Preferences, searching for shows, and accounts at providers. Parse, call a service, render."""

from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from watchlist import linking, listing
from watchlist.api.link_serializers import (
    ChangeWatchLinkSerializer,
    FoundShowsSerializer,
    MakeWatchLinkSerializer,
    ProviderSerializer,
    ShowsQuerySerializer,
    SyncSerializer,
    UnlinkQuerySerializer,
    WatchLinkSerializer,
)
from watchlist.api.own import NO_LINK, own_link
from watchlist.api.serializers import EffectiveWishesSerializer, PreferencesSerializer, WishesSerializer
from watchlist.api.throttles import LinkedTooOften, Linking
from watchlist.budget import provider_states
from watchlist.linking import LinkRefused
from watchlist.models import Link, Preferences
from watchlist.preferences import change_preferences, preferences_of
from watchlist.search import search_shows
from watchlist.wishes import WishRefused


class PreferencesView(APIView):
    @extend_schema(
        operation_id="watchlist_preferences_retrieve",
        summary="What you want of all your shows",
        responses={200: PreferencesSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(_rendered(preferences_of(user_of(request))))

    @extend_schema(
        operation_id="watchlist_preferences_partial_update",
        summary="Change what you want of all your shows",
        description="What a show says of itself goes before. What is not named stays; null: as the box does it.",
        request=PreferencesSerializer(partial=True),
        responses={200: PreferencesSerializer},
    )
    def patch(self, request: Request) -> Response:
        body = PreferencesSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        try:
            preferences = change_preferences(user=user_of(request), **body.validated_data)
        except WishRefused as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(_rendered(preferences))


def _rendered(preferences: Preferences) -> dict[str, Any]:
    effective = listing.effective_preferences(preferences)
    return {**WishesSerializer(preferences).data, "effective": EffectiveWishesSerializer(effective).data}


def _refused(error: LinkRefused) -> ValidationError:
    return ValidationError({error.field: [str(error)]}, code=error.code)


def _told(request: Request, provider: str) -> dict[str, Any]:
    return WatchLinkSerializer(own_link(request, provider)).data


class ShowsView(APIView):
    @extend_schema(
        operation_id="watchlist_shows",
        summary="Search for a show",
        description="Among those that the box knows and, where it can be asked now, at its provider.",
        parameters=[ShowsQuerySerializer],
        responses={200: FoundShowsSerializer, 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        query = ShowsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        shows, message = search_shows(user=user_of(request), text=query.validated_data["search"])
        return Response(FoundShowsSerializer({"results": shows, "message": message}).data)


class ProvidersView(APIView):
    @extend_schema(
        operation_id="watchlist_providers",
        summary="Who knows shows, and whether they answer",
        responses={200: ProviderSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(ProviderSerializer(provider_states(), many=True).data)


class LinksView(APIView):
    @extend_schema(
        operation_id="watchlist_links_list",
        summary="Your accounts whose lists are followed",
        responses={200: WatchLinkSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(WatchLinkSerializer(listing.links_of(user_of(request)), many=True).data)

    @extend_schema(
        operation_id="watchlist_links_create",
        summary="Link an account, whose list is then followed",
        description="By the name of a public account, or by the code of the page that the provider names: that one "
        "reads private lists, too. The code is stored encrypted and shown to nobody. Linking again replaces.",
        request=MakeWatchLinkSerializer,
        responses={201: WatchLinkSerializer},
    )
    def post(self, request: Request) -> Response:
        body = MakeWatchLinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        make = linking.link_by_token if "token" in body.validated_data else linking.link_by_name
        try:
            link = make(user=user_of(request), **body.validated_data)
        except LinkRefused as error:
            raise _refused(error) from error
        return Response(_told(request, link.provider), status=201)

    def get_throttles(self) -> list[BaseThrottle]:
        return [Linking()] if self.request.method == "POST" else []

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        raise LinkedTooOften(wait)


class LinkView(APIView):
    @extend_schema(
        operation_id="watchlist_links_partial_update",
        summary="Change what of a list is followed",
        request=ChangeWatchLinkSerializer,
        responses={200: WatchLinkSerializer},
    )
    def patch(self, request: Request, provider: str) -> Response:
        link = own_link(request, provider)
        body = ChangeWatchLinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            linking.change_link(link=link, **body.validated_data)
        except LinkRefused as error:
            raise _refused(error) from error
        except Link.DoesNotExist as error:
            raise NotFound(NO_LINK) from error
        return Response(_told(request, provider))

    @extend_schema(
        operation_id="watchlist_links_destroy",
        summary="Follow a list no more",
        description="Its code is forgotten.",
        parameters=[UnlinkQuerySerializer],
        responses={204: None, 400: ValidationErrorResponseSerializer},
    )
    def delete(self, request: Request, provider: str) -> Response:
        link = own_link(request, provider)
        query = UnlinkQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        linking.unlink(link=link, keep=query.validated_data["keep"])
        return Response(status=204)


class SyncView(APIView):
    @extend_schema(
        operation_id="watchlist_links_sync",
        summary="Read a list before it is due",
        request=None,
        responses={202: SyncSerializer},
    )
    def post(self, request: Request, provider: str) -> Response:
        try:
            asked = linking.sync_now(link=own_link(request, provider))
        except Link.DoesNotExist as error:
            raise NotFound(NO_LINK) from error
        return Response({"asked": asked}, status=202)
