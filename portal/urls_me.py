"""A person's own pages, for everybody who is signed in."""

from django.urls import path

from portal.views import account, profile

urlpatterns = [
    path("", profile.profile, name="profile"),
    path("picture/", account.picture, name="my-picture"),
    path("security/", account.security, name="my-security"),
    path("devices/", account.device_list, name="my-devices"),
    path("devices/others/end/", account.devices_end, name="my-devices-end"),
    path("devices/<int:device_id>/end/", account.devices_end, name="my-device-end"),
    path("consents/", account.consent_list, name="my-consents"),
    path("consents/give/", account.consent_give, name="my-consent-give"),
    path("consents/<int:consent_id>/withdraw/", account.consent_withdraw, name="my-consent-withdraw"),
    path("data/", account.data, name="my-data"),
    path("data/exports/", account.data_exports, name="my-data-exports"),
    path("data/exports/new/", account.export_start, name="my-export-start"),
    path("data/exports/<uuid:export_id>/", account.export_download, name="my-export"),
    path("data/erasure/", account.erasure_ask, name="my-erasure"),
    path("data/erasure/take-back/", account.erasure_take_back, name="my-erasure-take-back"),
]
