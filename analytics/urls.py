"""Dashboards of the workspace."""

from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("sales/", views.sales, name="sales"),
    path("sales/body/", views.sales_body, name="sales-body"),
    path("sales/<slug:chart>.json", views.sales_chart, name="sales-chart"),
]
