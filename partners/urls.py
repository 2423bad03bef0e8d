"""Pages of the partner area."""

from django.urls import path

from partners.views import deals, home, registrations, team

app_name = "partners"
urlpatterns = [
    path("", home.home, name="home"),
    path("body/", home.body, name="home-body"),
    path("deals/", deals.deal_list, name="deals"),
    path("deals/<int:deal_id>/", deals.deal, name="deal"),
    path("steps/<int:task_id>/", deals.step, name="step"),
    path("questions/<int:question_id>/", deals.question, name="question"),
    path("registrations/", registrations.registration_list, name="registrations"),
    path("registrations/new/", registrations.registration_new, name="registration-new"),
    path("registrations/check/", registrations.check, name="registration-check"),
    path("registrations/<int:registration_id>/", registrations.registration, name="registration"),
    path("registrations/<int:registration_id>/withdraw/", registrations.withdraw, name="registration-withdraw"),
    path("projects/", deals.project_list, name="projects"),
    path("projects/<int:project_id>/", deals.project, name="project"),
    path("contract/", home.contract, name="contract"),
    path("team/", team.team, name="team"),
    path("team/<int:invitation_id>/withdraw/", team.withdraw, name="team-withdraw"),
    path("team/people/<int:membership_id>/", team.change, name="team-change"),
]
