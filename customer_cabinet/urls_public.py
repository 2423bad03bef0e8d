"""Pages for visitors: the public catalogue and the form that starts a request."""

from django.urls import path

from customer_cabinet.views import public

app_name = "public_start"
urlpatterns = [
    path("", public.catalogue, name="catalogue"),
    path("form/", public.start, name="form"),
    path("form/<int:product_id>/", public.start, name="form-product"),
    path("confirm/<str:token>/", public.confirm, name="confirm"),
    path("again/", public.again, name="again"),
    path("thanks/", public.thanks, name="thanks"),
]
