"""The public catalogue: a page for each product."""

from django.urls import path

from customer_cabinet.views import products

app_name = "products"
urlpatterns = [
    path("", products.product_list, name="list"),
    path("<int:product_id>/", products.product, name="product"),
]
