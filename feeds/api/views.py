"""Parse, call a service, render. Everything starts from the caller's own subscriptions and rules: what is not theirs
does not exist, so it is 404 everywhere."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from feeds import listing, preview, rule_changes, services
from feeds.api.serializers import (
    AddFeedSerializer,
    ChangeFeedSerializer,
    CheckSerializer,
    DecisionSerializer,
    DecisionsQuerySerializer,
    ExplainedItemSerializer,
    FeedSerializer,
    GrabSerializer,
    ItemSerializer,
    ItemsQuerySerializer,
    PreviewRuleSerializer,
    PreviewSerializer,
    RuleSerializer,
)
from feeds.grabs import GrabRefused, grab_anyway
from feeds.models import Decision, Item, Rule, Subscription
from feeds.rules import RuleError
from proxy_site.api.cursors import ByNumber

NO_FEED = "There is no such feed. Perhaps it was removed."
NO_RULE = "There is no such rule. Perhaps it was deleted."


def own_feed(request: Request, feed_id: uuid.UUID) -> Subscription:
    subscription = Subscription.objects.of(user_of(request)).named(feed_id).first()
    if subscription is None:
        raise NotFound(NO_FEED)
    return subscription


def own_item(request: Request, feed_id: uuid.UUID, number: int) -> tuple[Subscription, Item]:
    subscription = own_feed(request, feed_id)
    item = listing.item_of(subscription, number)
    if item is None:
        raise NotFound("The feed has no such item, or it is forgotten by now.")
    return subscription, item


def own_rule(request: Request, rule_id: uuid.UUID) -> Rule:
    rule = Rule.objects.of(user_of(request)).named(rule_id).first()
    if rule is None:
        raise NotFound(NO_RULE)
    return rule


def rule_refused(error: RuleError) -> ValidationError:
    field = "feeds" if error.field == "subscriptions" else error.field
    return ValidationError({field: str(error)}, code="invalid")


class FeedsView(APIView):
    @extend_schema(
        operation_id="feeds_list", summary="The feeds you follow", responses={200: FeedSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        return Response(FeedSerializer(Subscription.objects.of(user_of(request)), many=True).data)

    @extend_schema(
        operation_id="feeds_create",
        summary="Follow a feed",
        description="It is checked at once. Your rules take what appears in it from then on.",
        request=AddFeedSerializer,
        responses={201: FeedSerializer},
    )
    def post(self, request: Request) -> Response:
        body = AddFeedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            subscription = services.subscribe(user=user_of(request), **body.validated_data)
        except services.FeedRefused as refused:
            raise ValidationError({refused.field: str(refused)}, code=refused.code) from refused
        return Response(FeedSerializer(subscription).data, status=201)


class FeedView(APIView):
    @extend_schema(operation_id="feeds_retrieve", summary="One feed", responses={200: FeedSerializer})
    def get(self, request: Request, feed_id: uuid.UUID) -> Response:
        return Response(FeedSerializer(own_feed(request, feed_id)).data)

    @extend_schema(
        operation_id="feeds_partial_update",
        summary="Rename a feed, or switch it off and on",
        request=ChangeFeedSerializer,
        responses={200: FeedSerializer},
    )
    def patch(self, request: Request, feed_id: uuid.UUID) -> Response:
        subscription = own_feed(request, feed_id)
        body = ChangeFeedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            services.change_subscription(subscription=subscription, **body.validated_data)
        except Subscription.DoesNotExist as error:
            raise NotFound(NO_FEED) from error
        return Response(FeedSerializer(subscription).data)

    @extend_schema(
        operation_id="feeds_destroy",
        summary="Follow a feed no more",
        description="What its rules took stays. Rules that looked at this feed alone are switched off.",
        responses={204: None},
    )
    def delete(self, request: Request, feed_id: uuid.UUID) -> Response:
        services.unsubscribe(subscription=own_feed(request, feed_id))
        return Response(status=204)


class CheckView(APIView):
    @extend_schema(
        operation_id="feeds_check",
        summary="Check a feed before it is due",
        request=None,
        responses={202: CheckSerializer},
    )
    def post(self, request: Request, feed_id: uuid.UUID) -> Response:
        asked = services.check_now(subscription=own_feed(request, feed_id))
        return Response({"asked": asked}, status=202)


class ItemsNewestFirst(ByNumber):
    ordering = ("-number",)


class DecisionsNewestFirst(ByNumber):
    ordering = ("-id",)


class ItemsView(GenericAPIView[Item]):
    queryset = Item.objects.none()  # everything starts from the caller's own
    serializer_class = ItemSerializer
    pagination_class = ItemsNewestFirst

    @extend_schema(
        operation_id="feeds_items_list",
        summary="What stood in a feed, and what your rules made of it",
        parameters=[ItemsQuerySerializer],
        responses={200: ItemSerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request, feed_id: uuid.UUID) -> Response:
        subscription = own_feed(request, feed_id)
        query = ItemsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(listing.items_of(subscription, **query.validated_data)) or []
        return self.get_paginated_response(ItemSerializer(listing.listed(subscription, page), many=True).data)


class ItemView(APIView):
    @extend_schema(
        operation_id="feeds_items_retrieve",
        summary="One item, and what each of your rules says of it",
        responses={200: ExplainedItemSerializer},
    )
    def get(self, request: Request, feed_id: uuid.UUID, number: int) -> Response:
        return Response(ExplainedItemSerializer(listing.explained(*own_item(request, feed_id, number))).data)


class GrabView(APIView):
    @extend_schema(
        operation_id="feeds_items_grab",
        summary="Take an item, whatever your rules say",
        request=None,
        responses={202: GrabSerializer},
    )
    def post(self, request: Request, feed_id: uuid.UUID, number: int) -> Response:
        subscription, item = own_item(request, feed_id, number)
        try:
            grab = grab_anyway(user=user_of(request), item=item, origin_detail=subscription.name)
        except GrabRefused as refused:
            raise ValidationError(str(refused), code="no_torrent") from refused
        return Response(GrabSerializer(grab).data, status=202)


class DecisionsView(GenericAPIView[Decision]):
    queryset = Decision.objects.none()  # everything starts from the caller's own
    serializer_class = DecisionSerializer
    pagination_class = DecisionsNewestFirst

    @extend_schema(
        operation_id="me_decisions",
        summary="What your rules decided, the latest first",
        parameters=[DecisionsQuerySerializer],
        responses={200: DecisionSerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        query = DecisionsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(listing.decisions_of(user_of(request), **query.validated_data)) or []
        return self.get_paginated_response(DecisionSerializer(page, many=True).data)


class RulesView(APIView):
    @extend_schema(
        operation_id="rules_list",
        summary="Your rules, in the order in which they are asked",
        responses={200: RuleSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(RuleSerializer(Rule.objects.of(user_of(request)), many=True).data)

    @extend_schema(
        operation_id="rules_create",
        summary="Make a rule",
        description="It sees items that come from now on. Try it by its preview first.",
        request=RuleSerializer,
        responses={201: RuleSerializer},
    )
    def post(self, request: Request) -> Response:
        body = RuleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            rule = rule_changes.create_rule(user=user_of(request), **_fields(body))
        except RuleError as error:
            raise rule_refused(error) from error
        return Response(RuleSerializer(rule).data, status=201)


class RuleView(APIView):
    @extend_schema(operation_id="rules_retrieve", summary="One rule", responses={200: RuleSerializer})
    def get(self, request: Request, rule_id: uuid.UUID) -> Response:
        return Response(RuleSerializer(own_rule(request, rule_id)).data)

    @extend_schema(
        operation_id="rules_partial_update",
        summary="Change a rule",
        request=RuleSerializer(partial=True),
        responses={200: RuleSerializer},
    )
    def patch(self, request: Request, rule_id: uuid.UUID) -> Response:
        rule = own_rule(request, rule_id)
        body = RuleSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        try:
            rule = rule_changes.change_rule(rule=rule, **_fields(body))
        except RuleError as error:
            raise rule_refused(error) from error
        except Rule.DoesNotExist as error:
            raise NotFound(NO_RULE) from error
        return Response(RuleSerializer(rule).data)

    @extend_schema(
        operation_id="rules_destroy",
        summary="Delete a rule",
        description="What it took stays; what it has waiting for a better release is given up.",
        responses={204: None},
    )
    def delete(self, request: Request, rule_id: uuid.UUID) -> Response:
        rule_changes.delete_rule(rule=own_rule(request, rule_id))
        return Response(status=204)


class PreviewView(APIView):
    @extend_schema(
        operation_id="rules_preview",
        summary="What a rule would take",
        description="By the code that decides, on what is in your feeds or on pasted titles. Nothing is saved.",
        request=PreviewRuleSerializer,
        responses={200: PreviewSerializer},
    )
    def post(self, request: Request) -> Response:
        body = PreviewRuleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = _fields(body)
        titles = fields.pop("titles", None)
        try:
            previewed = preview.preview(user=user_of(request), titles=titles, **fields)
        except RuleError as error:
            raise rule_refused(error) from error
        return Response(PreviewSerializer(previewed).data)


def _fields(body: RuleSerializer) -> dict[str, Any]:
    """As the services name them."""
    fields = dict(body.validated_data)
    if "feed_ids" in fields:
        fields["subscriptions"] = fields.pop("feed_ids")
    return fields
