"""Settings, for administrators."""

from django.urls import path

from portal.access import Audience, PortalPermission, audience_urls
from portal.views import settings_pages as pages

urlpatterns = audience_urls(
    Audience.INTERNAL,
    [
        path("", pages.index, name="settings"),
        path("people/", pages.people_list, name="settings-people"),
        path("people/<int:user_id>/", pages.person, name="settings-person"),
        path("people/<int:user_id>/active/", pages.person_active, name="settings-person-active"),
        path("people/<int:user_id>/places/<int:membership_id>/roles/", pages.membership_roles, name="settings-membership-roles"),
        path("people/<int:user_id>/places/<int:membership_id>/manager/", pages.membership_manager, name="settings-membership-manager"),
        path("people/<int:user_id>/places/<int:membership_id>/remove/", pages.membership_remove, name="settings-membership-remove"),
        path("organisations/", pages.organisations, name="settings-organisations"),
        path("organisations/<int:organisation_id>/", pages.organisation, name="settings-organisation"),
        path("invitations/", pages.invitation_list, name="settings-invitations"),
        path("invitations/<int:invitation_id>/again/", pages.invitation_again, name="settings-invitation-again"),
        path("invitations/<int:invitation_id>/withdraw/", pages.invitation_withdraw, name="settings-invitation-withdraw"),
        path("erasures/", pages.erasure_list, name="settings-erasures"),
        path("erasures/<int:erasure_id>/", pages.erasure, name="settings-erasure"),
        path("audit/", pages.audit, name="settings-audit"),
    ],
    permission=PortalPermission.ADMINISTER,
)
