"""What projects register."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    """Projects started by processes."""

    name = "projects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        from projects import connectors, subscriptions  # noqa: F401  registering is their purpose

        self.register_access()
        self.register_subjects()
        self.register_menu()
        self.register_search()
        self.register_stories()
        self.register_personal()

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from projects import personal

        personal.register()

    def register_stories(self) -> None:
        """What projects tell in the feed."""
        from projects.stories import register_project_stories

        register_project_stories()

    def register_access(self) -> None:
        """Every employee sees projects; sales, managers and delivery change them."""
        from portal.registry import registry
        from projects.access import ProjectPermission

        for role in ("employee", "sales", "manager", "finance", "delivery", "designer", "administrator"):
            registry.grant(role, ProjectPermission.VIEW)
        for role in ("sales", "manager", "delivery", "administrator"):
            registry.grant(role, ProjectPermission.EDIT)

    def register_subjects(self) -> None:
        """A project is a record of all three faces."""
        from django.urls import reverse

        from portal.access import Audience
        from portal.registry import SubjectKind, registry
        from projects.access import visible_projects
        from projects.selectors import organisations_of_project

        names = {
            Audience.INTERNAL: "projects:project",
            Audience.CUSTOMER: "customer_cabinet:project",
            Audience.PARTNER: "partners:project",
        }
        registry.register_subject(
            SubjectKind(
                key="projects.project",
                model="projects.Project",
                label=_("Project"),
                icon="target-arrow",
                visible=visible_projects,
                title=lambda row: row.name,
                url=lambda actor, pk: reverse(names[actor.audience], args=[pk]) if actor.audience in names else None,
                organisations=organisations_of_project,
                of_organisation=True,
                facts="name state starts due ended source_kind source_id manager_id customer_organisation_id partner_organisation_id",
            )
        )
        registry.register_topic("projects", lambda actor, key: actor.is_internal)

    def register_menu(self) -> None:
        """The workspace's entry."""
        from portal.access import Audience
        from portal.registry import MenuItem, registry

        registry.register_menu(MenuItem(Audience.INTERNAL, _("Projects"), "projects:list", "target-arrow", order=50))

    def register_search(self) -> None:
        """Projects in the palette."""
        from portal.access import SIGNED_IN
        from portal.registry import SearchProvider, registry
        from projects.search import search_projects

        registry.register_search(SearchProvider("projects", _("Projects"), SIGNED_IN, search_projects, order=40))
