"""What this package registers."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from portal.numbers import whole_number


class WorkflowsConfig(AppConfig):
    """The durable runtime of processes, the inbox and the monitor."""

    name = "workflows"
    verbose_name = "Workflows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers; every app's connectors are imported here."""
        self.register_permissions()
        self.register_subjects()
        self.register_topics()
        self.register_pages()
        self.register_outbox()
        self.register_formulas()
        self.register_personal()
        autodiscover_modules("connectors")
        import_module("workflows.subscriptions")

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from workflows import personal

        personal.register()

    def register_permissions(self) -> None:
        """Who may look further than their own tasks, and who may mend and publish."""
        from portal.registry import registry
        from workflows.access import WorkflowPermission as May

        registry.grant("manager", May.VIEW_ALL, May.REASSIGN, May.VIEW_DATA, May.OPERATE, May.TELL_FOR, May.EXPORT_LOG)
        registry.grant("sales", May.TELL_FOR)
        registry.grant("delivery", May.TELL_FOR)
        registry.grant("administrator", *May)
        registry.grant("designer", May.VIEW_ALL, May.VIEW_DATA, May.PUBLISH, May.EXPORT_LOG)

    def register_subjects(self) -> None:
        """Tasks, instances and definitions can be linked, audited and discussed like any record."""
        from portal.registry import SubjectKind, registry
        from workflows import access
        from workflows.addresses import instance_url, question_url, task_url

        registry.register_subject(
            SubjectKind(
                "workflows.instance", "workflows.ProcessInstance", _("Process"), "route", access.visible_instances, _title, instance_url
            )
        )
        registry.register_subject(
            SubjectKind(
                "workflows.question", "workflows.Question", _("Question"), "help-circle", access.visible_questions, _question, question_url
            )
        )
        registry.register_subject(
            SubjectKind("workflows.task", "workflows.HumanTask", _("Task"), "checkbox", access.visible_tasks, _name, task_url)
        )

    def register_outbox(self) -> None:
        """Letters of every package leave through the outbox."""
        from portal.mail import use_sender
        from workflows.senders import keep_letter

        use_sender(keep_letter)

    def register_formulas(self) -> None:
        """The site's calculators work out their figures with the expression language of processes."""
        from bpmn.scripts import ScriptError, check_expression, evaluate
        from portal.formulas import use_evaluator

        use_evaluator(check_expression, evaluate, ScriptError)

    def register_pages(self) -> None:
        """Navigation, search, and the fragment on other packages' cards."""
        from portal.access import Audience
        from portal.registry import MenuItem, Panel, SearchProvider, registry
        from workflows import search
        from workflows.access import inbox_topics
        from workflows.selectors.desk import waiting_badge

        registry.register_menu(
            MenuItem(
                Audience.INTERNAL,
                _("Inbox"),
                "workflows:inbox",
                "inbox",
                10,
                badge=waiting_badge,
                topic=inbox_topics,
            ),
            MenuItem(Audience.INTERNAL, _("Processes"), "workflows:processes", "hierarchy", 70),
        )
        registry.register_panel(Panel("subject.process", "workflows:panel", _("Process"), (Audience.INTERNAL,)))
        registry.register_search(SearchProvider("workflows.tasks", _("Tasks"), (Audience.INTERNAL,), search.tasks, 30))
        registry.register_search(SearchProvider("workflows.processes", _("Processes"), (Audience.INTERNAL,), search.processes, 80))

    def register_topics(self) -> None:
        """Live topics: `inbox:user:5`, `inbox:role:sales`, `inbox:customer:7`, `process:12`, `task:9`, `processes:all`."""
        from portal.registry import registry
        from workflows import access
        from workflows.selectors import stood_in_for

        def may_follow_inbox(actor, key: str) -> bool:
            kind, _colon, value = key.partition(":")
            match kind:
                case "user":
                    return value == str(actor.user_id) or whole_number(value) in stood_in_for(actor)
                case "role":
                    return actor.is_internal and (actor.has_role(value) or actor.can(access.WorkflowPermission.VIEW_ALL))
                case "customer" | "partner":
                    return kind == actor.audience and value == str(actor.organisation_id)
            return False

        def may_follow_process(actor, key: str) -> bool:
            return access.visible_instances(actor).filter(pk=whole_number(key)).exists()

        def may_follow_task(actor, key: str) -> bool:
            return access.visible_tasks(actor).filter(pk=whole_number(key)).exists()

        registry.register_topic("inbox", may_follow_inbox)
        registry.register_topic("process", may_follow_process)
        registry.register_topic("task", may_follow_task)
        registry.register_topic("processes", lambda actor, key: actor.is_internal)


def _title(row) -> str:
    return row.title


def _name(row) -> str:
    return row.name


def _question(row) -> str:
    return Truncator(row.text).chars(80)
