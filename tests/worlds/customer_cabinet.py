"""The cabinet's own rows: a draft of each customer's administrator, for their eyes alone."""

from __future__ import annotations

from customer_cabinet import services


def build(world) -> None:
    """Make them."""
    product = world.rows["product"].pk
    for person in ("cara", "bea"):
        services.keep_draft(
            getattr(world, person),
            product,
            title=f"LEAK:{person} draft",
            description=f"LEAK:{person} words",
            answers={"word": f"LEAK:{person} answer"},
        )


def samples(world) -> dict[str, list[dict]]:
    """A mailed link is kept nowhere."""
    return {"public_start:confirm": [{"token": "nobody-has-this-link"}]}
