"""Documents in the cabinet."""

from django.urls import path

from customer_cabinet.views import documents

urlpatterns = [
    path("documents/", documents.documents, name="documents"),
    path("documents/asked/<int:request_id>/", documents.asked, name="documents-asked"),
    path("documents/asked/<int:request_id>/lines/", documents.lines, name="documents-list"),
    path("documents/lines/<int:line_id>/", documents.give, name="document-give"),
    path("documents/on/<str:ref>/", documents.panel, name="documents-panel"),
]
