"""Support in the cabinet: cases of the organisation."""

from django.urls import path

from customer_cabinet.views import cases

urlpatterns = [
    path("cases/", cases.case_list, name="cases"),
    path("cases/new/", cases.case_new, name="case-new"),
    path("cases/<int:case_id>/", cases.case_page, name="case"),
    path("cases/<int:case_id>/body/", cases.case_body, name="case-body"),
    path("cases/<int:case_id>/reopen/", cases.reopen, name="case-reopen"),
]
