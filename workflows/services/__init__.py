"""What can be done with processes: every write goes through here."""

from workflows.services.absences import check_absence, end_absence, plan_absence
from workflows.services.approvals import withdraw_approval
from workflows.services.batches import apply_batch, choose_tasks, preview_batch, undo_batch
from workflows.services.bulk import Act, migrate_instances, preview_bulk, start_bulk
from workflows.services.corrections import (
    Correction,
    correct_data,
    kind_words,
    preview_correction,
    preview_start_here,
    start_here,
    typed,
    variables_of,
)
from workflows.services.deployment import DeployResult, deploy, try_out
from workflows.services.incidents import retry_due, retry_incident
from workflows.services.instances import (
    BulkResult,
    ProcessStart,
    cancel_instance,
    clear_partner_organisation,
    continue_instance,
    hold_instance,
    link_subject,
    set_followed,
    set_instance_organisations,
    start_process,
    start_processes,
)
from workflows.services.locks import lock_words, locks_on, refuse_locked, refuse_locked_among
from workflows.services.messages import broadcast_signal, correlate_message, tell_waiting
from workflows.services.operations import (
    Preview,
    change_instance,
    changes_for,
    migrate_instance,
    preview_change,
    preview_migration,
    resume_instance,
    suspend_instance,
)
from workflows.services.outbox import enqueue_call
from workflows.services.radar import Mended, mend
from workflows.services.snoozing import snooze_task, when_to_wake
from workflows.services.tasks import CompletionResult, claim_task, complete_task, delegate_task, release_task

__all__ = [
    "Act",
    "tell_waiting",
    "BulkResult",
    "CompletionResult",
    "Correction",
    "correct_data",
    "kind_words",
    "preview_correction",
    "preview_start_here",
    "start_here",
    "typed",
    "variables_of",
    "DeployResult",
    "Preview",
    "Mended",
    "ProcessStart",
    "broadcast_signal",
    "apply_batch",
    "cancel_instance",
    "change_instance",
    "changes_for",
    "check_absence",
    "choose_tasks",
    "clear_partner_organisation",
    "claim_task",
    "complete_task",
    "continue_instance",
    "correlate_message",
    "delegate_task",
    "deploy",
    "end_absence",
    "plan_absence",
    "enqueue_call",
    "hold_instance",
    "link_subject",
    "migrate_instance",
    "migrate_instances",
    "preview_batch",
    "preview_bulk",
    "preview_change",
    "preview_migration",
    "mend",
    "lock_words",
    "locks_on",
    "refuse_locked",
    "refuse_locked_among",
    "release_task",
    "resume_instance",
    "retry_due",
    "retry_incident",
    "set_followed",
    "set_instance_organisations",
    "snooze_task",
    "start_bulk",
    "start_process",
    "start_processes",
    "suspend_instance",
    "undo_batch",
    "when_to_wake",
    "try_out",
    "withdraw_approval",
]
