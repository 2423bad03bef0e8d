"""Pages of this package; portal/urls.py says where they stand and who reaches them."""

from django.urls import path

from workflows.views import absences, definitions, designer, inbox, instances, operations, panels, radar, tasks

app_name = "workflows"
urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/list/", inbox.listing, name="inbox-list"),
    path("inbox/claim/", inbox.bulk_claim, name="inbox-claim"),
    path("inbox/absences/", absences.index, name="absences"),
    path("inbox/absences/<int:absence_id>/end/", absences.end, name="absence-end"),
    path("tasks/<int:task_id>/", tasks.task, name="task"),
    path("tasks/<int:task_id>/state/", tasks.state, name="task-state"),
    path("tasks/<int:task_id>/peek/", tasks.peek, name="task-peek"),
    path("tasks/<int:task_id>/claim/", tasks.claim, name="task-claim"),
    path("tasks/<int:task_id>/snooze/", tasks.snooze, name="task-snooze"),
    path("tasks/<int:task_id>/release/", tasks.release, name="task-release"),
    path("tasks/<int:task_id>/delegate/", tasks.delegate, name="task-delegate"),
    path("processes/", definitions.index, name="processes"),
    path("processes/publish/", definitions.publish, name="publish"),
    path("processes/draw/", designer.draw, name="designer-new"),
    path("processes/draw/kit.json", designer.kit, name="designer-kit"),
    path("processes/draw/check/", designer.check_drawing, name="designer-check"),
    path("processes/draw/try/", designer.try_drawing, name="designer-try"),
    path("processes/draw/publish/", designer.publish_drawing, name="designer-publish"),
    path("processes/draw/p/<str:key>/", designer.draw, name="designer"),
    path("processes/running/", instances.index, name="instances"),
    path("processes/running/log.xes", instances.event_log, {"form": "xes"}, name="event-log-xes"),
    path("processes/running/log.jsonocel", instances.event_log, {"form": "ocel"}, name="event-log-ocel"),
    path("processes/radar/", radar.index, name="radar"),
    path("processes/radar/<slug:kind>/", radar.mend, name="radar-mend"),
    path("processes/incidents/", instances.incidents, name="incidents"),
    path("processes/incidents/<int:incident_id>/retry/", instances.retry, name="incident-retry"),
    path("processes/running/<int:instance_id>/", instances.detail, name="instance"),
    path("processes/running/<int:instance_id>/body/", instances.body, name="instance-body"),
    path("processes/running/<int:instance_id>/state/", instances.state, name="instance-state"),
    path("processes/running/<int:instance_id>/cancel/", instances.cancel, name="instance-cancel"),
    path("processes/running/<int:instance_id>/hold/", operations.hold, name="instance-hold"),
    path("processes/running/<int:instance_id>/change/", operations.change, name="instance-change"),
    path("processes/about/<str:ref>/", panels.about, name="panel"),
    path("processes/approval/<str:ref>/", panels.approval, name="approval"),
    path("processes/xml/<int:definition_id>/", definitions.xml, name="definition-xml"),
    path("processes/p/<str:key>/", definitions.detail, name="definition"),
    path("processes/p/<str:key>/state/", definitions.state, name="definition-state"),
    path("processes/p/<str:key>/<int:version>/", definitions.detail, name="definition-version"),
    path("processes/p/<str:key>/<int:version>/restore/", definitions.restore, name="definition-restore"),
]
