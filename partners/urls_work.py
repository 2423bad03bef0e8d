"""Employees' pages about partners."""

from django.urls import path

from partners.views import work

app_name = "partners_work"
urlpatterns = [
    path("partners/", work.partner_list, name="partners"),
    path("partners/registrations/<int:registration_id>/", work.registration, name="registration"),
    path("partners/programmes/<int:programme_id>/", work.programme, name="programme"),
]
