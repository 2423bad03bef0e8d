"""Pages of the personal cabinet."""

from django.urls import path

from customer_cabinet import urls_appointments, urls_cases, urls_documents
from customer_cabinet.views import home, messages, projects, quotes, requests, team

app_name = "customer_cabinet"
urlpatterns = [
    path("", home.home, name="home"),
    path("body/", home.body, name="home-body"),
    path("catalogue/", requests.catalogue, name="catalogue"),
    path("catalogue/<int:product_id>/", requests.request_new, name="product"),
    path("catalogue/<int:product_id>/draft/", requests.draft, name="draft"),
    path("requests/", requests.request_list, name="requests"),
    path("requests/<int:request_id>/", requests.request_page, name="request"),
    path("requests/<int:request_id>/body/", requests.request_body, name="request-body"),
    path("steps/<int:task_id>/", requests.step, name="step"),
    path("questions/<int:question_id>/", requests.question, name="question"),
    path("quotes/<int:quote_id>/", quotes.quote, name="quote"),
    path("quotes/<int:quote_id>/sign/", quotes.sign, name="quote-sign"),
    path("quotes/<int:quote_id>/approval/", quotes.approval, name="quote-approval"),
    path("messages/", messages.conversations, name="messages"),
    path("messages/list/", messages.conversation_list, name="messages-list"),
    path("messages/company/", messages.with_company, name="messages-company"),
    *urls_cases.urlpatterns,
    *urls_documents.urlpatterns,
    *urls_appointments.urlpatterns,
    path("projects/", projects.project_list, name="projects"),
    path("projects/<int:project_id>/", projects.project, name="project"),
    path("projects/<int:project_id>/tasks/<int:task_id>/tick/", projects.tick, name="project-tick"),
    path("projects/<int:project_id>/tasks/<int:task_id>/answer/", projects.answer, name="project-answer"),
    path("team/", team.team, name="team"),
    path("team/rule/", team.rule, name="team-rule"),
    path("team/people/<int:membership_id>/", team.change, name="team-change"),
    path("team/<int:invitation_id>/withdraw/", team.withdraw, name="team-withdraw"),
]
