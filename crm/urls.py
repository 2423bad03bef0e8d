"""Pages of this package; portal/urls.py says where they stand and who reaches them."""

from django.urls import path, register_converter

from crm.lists import LISTS
from crm.views import board, cards, documents, lists


class ListKey:
    """The lists that there are, so that other addresses stay free."""

    regex = "|".join(LISTS)

    def to_python(self, value: str) -> str:
        """The key as it stands."""
        return value

    def to_url(self, value: str) -> str:
        """The key as it stands."""
        return value


register_converter(ListKey, "crmlist")

app_name = "crm"
urlpatterns = [
    path("crm/board/", board.board, name="board"),
    path("crm/deals/assign/", lists.assign, name="assign"),
    path("crm/deals/<int:pk>/move/", board.move, name="move"),
    path("crm/deals/<int:pk>/moves/", cards.moves, name="moves"),
    path("crm/leads/<int:pk>/decide/", cards.lead_decision, name="lead-decision"),
    path("crm/accounts/similar/", cards.similar, name="similar"),
    path("crm/organisations/<int:organisation_id>/", cards.of_organisation, name="organisation"),
    path("crm/quotes/<int:pk>/", cards.quote, name="quote"),
    path("crm/documents/on/<str:ref>/", documents.panel, name="documents-panel"),
    path("crm/documents/ask/<str:ref>/", documents.new, name="document-new"),
    path("crm/documents/card/<str:ref>/", documents.card, name="document-card"),
    path("crm/documents/<int:pk>/", documents.page, name="document-request"),
    path("crm/documents/<int:pk>/day/", documents.move_day, name="document-day"),
    path("crm/documents/<int:pk>/withdraw/", documents.withdraw, name="document-withdraw"),
    path("crm/documents/lines/<int:line_id>/", documents.decide, name="document-decide"),
    path("crm/documents/lines/<int:line_id>/give/", documents.give, name="document-give"),
    path("crm/pick/<slug:kind>/", lists.pick, name="pick"),
    *(path(f"crm/{key}/", lists.listing, {"key": key}, name=key) for key in LISTS),
    path("crm/<crmlist:key>/", lists.listing, name="list"),
    path("crm/<crmlist:key>/new/", cards.create, name="create"),
    path("crm/<crmlist:key>/export/", lists.export, name="export"),
    path("crm/<crmlist:key>/<int:pk>/", cards.card, name="card"),
    path("crm/card/<str:ref>/", cards.card_panel, name="card-panel"),
    path("crm/<crmlist:key>/<int:pk>/peek/", cards.peek, name="peek"),
    path("crm/<crmlist:key>/<int:pk>/why/", cards.reasons, name="why"),
    path("crm/<crmlist:key>/<int:pk>/edit/", cards.edit, name="edit"),
    path("crm/<crmlist:key>/<int:pk>/note/", cards.note, name="note"),
]
