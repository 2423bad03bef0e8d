"""All addresses of the product. Other apps are named by string alone."""

from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from portal.access import SIGNED_IN, Audience, PortalPermission, audience_urls, decorate_urls, public
from portal.views import account, core, jobs, saved_views, team, viewing

INTERNAL, PARTNER, CUSTOMER = Audience.INTERNAL, Audience.PARTNER, Audience.CUSTOMER


def tree(prefix: str, module: str, audience, permission: str | None = None) -> path:
    """A face's whole tree, open to one audience, or to those of it who hold a permission."""
    urls, app_name, namespace = include(module)
    patterns = urls.urlpatterns if hasattr(urls, "urlpatterns") else urls
    audience_urls(audience, patterns, permission)
    return path(prefix, (urls, app_name, namespace))


def public_tree(prefix: str, module) -> path:
    """A third party's tree that visitors may reach."""
    urls, app_name, namespace = include(module)
    decorate_urls(public, urls.urlpatterns if hasattr(urls, "urlpatterns") else urls)
    return path(prefix, (urls, app_name, namespace))


urlpatterns = [
    path("home/", core.home, name="home"),
    path("demo/", core.demo_people, name="demo-people"),
    path("health/", core.health, name="health"),
    path("files/<uuid:file_id>/", core.download, name="file"),
    path("palette/", core.palette, name="palette"),
    path("nav/count/", core.nav_count, name="nav-count"),
    path("jobs/<int:job_id>/", jobs.page, name="job"),
    path("jobs/<int:job_id>/progress/", jobs.progress, name="job-progress"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel, name="job-cancel"),
    path("work/views/", saved_views.save, name="view-save"),
    path("work/views/<int:view_id>/", saved_views.change, name="view-change"),
    path("switch/", core.switch, name="switch-organisation"),
    path("leave/", team.leave, name="leave-organisation"),
    path("work/view-as/<int:membership_id>/", viewing.start, name="view-as"),
    path("view-as/end/", viewing.end, name="view-as-end"),
    path("work/", core.work_home, name="work-home"),
    path("people/<int:user_id>/picture/", account.person_picture, name="person-picture"),
    path("accounts/sessions/", account.to_devices, name="account-sessions"),  # allauth's own list gives way to ours
    public_tree("accounts/", "allauth.urls"),
    tree("me/", "portal.urls_me", SIGNED_IN),
    tree("work/settings/", "portal.urls_settings", INTERNAL),
    tree("work/", "workflows.urls", INTERNAL),
    tree("work/", "social_feed.urls", INTERNAL),
    tree("work/", "crm.importing.urls", INTERNAL),
    tree("work/", "crm.appointments.urls", INTERNAL),
    tree("work/", "crm.urls", INTERNAL),
    tree("work/", "projects.urls", INTERNAL),
    tree("work/", "analytics.urls", INTERNAL),
    tree("work/", "partners.urls_work", INTERNAL),
    tree("cabinet/", "customer_cabinet.urls", CUSTOMER),
    tree("partner/", "partners.urls", PARTNER),
    tree("", "social_feed.urls_shared", SIGNED_IN),
    tree("", "portal.urls_kit", INTERNAL),
    tree("", "portal.urls_public", Audience.PUBLIC),
    tree("", "workflows.urls_public", Audience.PUBLIC),
    tree("products/", "customer_cabinet.urls_products", Audience.PUBLIC),
    tree("start/", "customer_cabinet.urls_public", Audience.PUBLIC),
    tree("cms/", wagtailadmin_urls, INTERNAL, PortalPermission.EDIT_SITE),
    public_tree("documents/", wagtaildocs_urls),
    public_tree("", wagtail_urls),
]
