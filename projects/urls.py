"""Pages of projects in the workspace."""

from django.urls import path

from projects import views

app_name = "projects"
urlpatterns = [
    path("projects/", views.project_list, name="list"),
    path("projects/new/", views.project_new, name="new"),
    path("projects/<int:project_id>/", views.project, name="project"),
    path("projects/<int:project_id>/body/", views.project_body, name="body"),
    path("projects/<int:project_id>/note/", views.note, name="note"),
    path("projects/<int:project_id>/tasks/", views.task_add, name="task-add"),
    path("projects/tasks/<int:task_id>/", views.task, name="task"),
    path("projects/tasks/<int:task_id>/move/", views.task_move, name="task-move"),
    path("projects/tasks/<int:task_id>/delete/", views.task_delete, name="task-delete"),
]
