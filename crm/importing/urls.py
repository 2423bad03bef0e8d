"""Pages of imports, in the workspace."""

from django.urls import path

from crm.importing import views

app_name = "crm_import"
urlpatterns = [
    path("import/", views.imports, name="imports"),
    path("import/processes/", views.start_processes, name="start-processes"),
    path("import/<int:run_id>/", views.import_run, name="import"),
    path("import/<int:run_id>/state/", views.import_state, name="import-state"),
    path("import/<int:run_id>/failures.csv", views.import_failures, name="import-failures"),
    path("import/<int:run_id>/discard/", views.import_discard, name="import-discard"),
]
