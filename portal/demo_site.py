"""The demo company's public site: home, news, help and a landing page, in short words. Nobody is quoted; all of it is marked as demo."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from portal.demo_offers import write_offers
from portal.models import HomePage, KnowledgeIndexPage, KnowledgePage, LandingPage, NewsIndexPage, NewsPage
from portal.registry import registry
from portal.services.site import ensure_site


def seed_site() -> None:
    """Write the pages that aren't there yet; pages that somebody edited stay as they are."""
    home = ensure_site()
    if not home.body:
        _write_home(home)
    news, help_pages = NewsIndexPage.objects.child_of(home).get(), KnowledgeIndexPage.objects.child_of(home).get()
    for slug, day, title, intro, body in _news():
        if not NewsPage.objects.child_of(news).filter(slug=slug).exists():
            news.add_child(instance=NewsPage(slug=slug, title=title, date=day, intro=intro, body=[("text", body)]))
    for slug, topic, title, intro, body, audience in _answers():
        if not KnowledgePage.objects.child_of(help_pages).filter(slug=slug).exists():
            help_pages.add_child(
                instance=KnowledgePage(slug=slug, topic=topic, audience=audience, title=title, intro=intro, body=[("text", body)])
            )
    help_pages.intro = help_pages.intro or _("Short answers about working with us in this portal.")
    help_pages.save()
    if not LandingPage.objects.child_of(home).exists():
        _write_landing(home)
        write_offers(home)


def _write_home(home: HomePage) -> None:
    home.title = "Northwind Works (demo)"
    home.hero_title = _("Equipment that works, from the first sketch to the last bolt")
    home.hero_text = _(
        "We plan, deliver and look after equipment for workshops and shops. You see each step as we do it, and decide where it is yours to decide."
    )
    home.button, home.button_address = _("Start a request"), "/start/"
    home.hero_steps = "\n".join(
        [_("You sent your request"), _("We looked at it together"), _("Your quote is ready"), _("You decide"), _("We deliver")]
    )
    home.body = [
        (
            "values",
            {
                "title": _("What you can count on"),
                "items": [
                    {"icon": "route", "title": _("You see where it stands"), "text": _("One page for each request: what is done, what is next, who has it, and until when.")},
                    {"icon": "messages", "title": _("One place to talk"), "text": _("Messages, files and decisions stay with the request they belong to.")},
                    {"icon": "checklist", "title": _("You decide online"), "text": _("Accept a quote or ask for a change on the page itself. No printing, no lost mail.")},
                    {"icon": "heart-handshake", "title": _("Partners included"), "text": _("Where a specialist is needed, our partner works on the same plan as we do.")},
                ],
            },
        ),
        ("cards", {"title": _("What we do"), "count": 6}),
        (
            "steps",
            {
                "title": _("How it goes"),
                "items": [
                    {"title": _("Tell us what you need"), "text": _("A short form is enough. We come back within two working days.")},
                    {"title": _("Get your quote"), "text": _("We check it with you and put the offer on your page.")},
                    {"title": _("Decide"), "text": _("Accept, or say what should be different.")},
                    {"title": _("Follow the delivery"), "text": _("Milestones show what we do, and the few things we need from you.")},
                ],
            },
        ),
        ("latest_news", {"title": _("News"), "count": 3}),
        ("call", {"title": _("Something in mind?"), "text": _("Tell us in a few lines. No account is needed."), "page": None, "address": "/start/", "button": _("Start a request")}),
    ]  # fmt: skip
    home.save_revision().publish()


def _write_landing(home: HomePage) -> None:
    forms = registry.site_forms()
    home.add_child(
        instance=LandingPage(
            title=_("Workshop check"),
            slug="workshop-check",
            show_in_menus=True,
            hero_title=_("A fresh look at your workshop"),
            hero_text=_("We visit, measure and write down what would save you time, and what may stay as it is."),
            form=forms[0].key if forms else "",
            body=[
                (
                    "values",
                    {
                        "title": "",
                        "items": [
                            {"icon": "clock", "title": _("Half a day"), "text": _("Your work goes on meanwhile.")},
                            {"icon": "file-text", "title": _("A written result"), "text": _("What to change first, with prices.")},
                            {"icon": "shield-check", "title": _("No strings"), "text": _("The result is yours, whoever does the work.")},
                        ],
                    },
                ),
                (
                    "questions",
                    {
                        "title": _("Before you ask"),
                        "items": [
                            {"question": _("Who comes?"), "answer": f"<p>{_('Somebody from delivery who knows workshops of your kind, and where it helps, a partner.')}</p>"},
                            {"question": _("What do I need to prepare?"), "answer": f"<p>{_('A floor plan if you have one. Otherwise we measure.')}</p>"},
                        ],
                    },
                ),
            ],
        )
    )  # fmt: skip


def _news() -> list[tuple[str, date, str, str, str]]:
    return [
        (
            "one-page-for-each-request",
            date(2026, 9, 14),
            _("One page for each request"),
            _("Requests, quotes, files and messages now stand together, with the road ahead in plain words."),
            f"<p>{_('Until now, a quote came by mail, a drawing by another mail, and the date by phone. From today each request has a page of its own. It shows what is done, what is next and who has it.')}</p>"
            f"<p>{_('Your colleagues can follow the same page: your administrator invites them.')}</p>",
        ),
        (
            "partners-on-board",
            date(2026, 10, 5),
            _("Partners work on the same plan"),
            _("Where a specialist is needed, the partner sees their part of the plan, and you see theirs."),
            f"<p>{_('Both sides can read which fields, steps and files a partner sees. Nothing else is shared.')}</p>",
        ),
        (
            "answers-in-the-help",
            date(2026, 11, 2),
            _("Short answers in our help"),
            _("The questions we hear most, each answered in under a minute."),
            f"<p>{_('Is something missing? Ask in any request, and we add it.')}</p>",
        ),
    ]  # fmt: skip


def _answers() -> list[tuple[str, str, str, str, str, str]]:
    requests, account, partners, support = _("Requests"), _("Your account"), _("For partners"), _("Support")
    return [
        ("start-a-request", requests, _("How do I start a request?"), _("Choose what you need in the catalogue and fill in the short form."), f"<p>{_('Open “Start a request”, choose an entry and answer the questions. You get a page for your request at once. You may leave a long form and go on later.')}</p>", "public"),
        ("where-does-it-stand", requests, _("How do I see where it stands?"), _("Each request has a page with its steps: done, now and next."), f"<p>{_('The page says who has the step at hand and until when. It renews itself: no need to reload.')}</p>", "public"),
        ("accept-or-change-a-quote", requests, _("How do I accept a quote, or ask for a change?"), _("Both are buttons on the request’s page."), f"<p>{_('Read the quote as PDF, then choose “Accept” or “Ask for a change” and say what should be different. You may do so until the date on the page.')}</p>", "public"),
        ("who-reads-my-messages", requests, _("Who reads what I write?"), _("The names are shown above the box before you send."), f"<p>{_('A message to us is read by the people who work on your request and by your colleagues. Partners read it only when the box says so.')}</p>", "public"),
        ("invite-a-colleague", account, _("How do I invite a colleague?"), _("Your organisation’s administrator does it under “Colleagues”."), f"<p>{_('Type the address and choose what the colleague may do. The link in the mail is good for two weeks, once.')}</p>", "public"),
        ("sign-in-without-a-password", account, _("Can I sign in without a password?"), _("Yes: with a code by mail, or with a passkey."), f"<p>{_('Choose “Mail me a sign-in code” on the sign-in page, or add a passkey under “Sign-in and security”.')}</p>", "public"),
        ("register-a-deal", partners, _("How do I register a deal?"), _("In the partner area, in under two minutes; you get a receipt at once."), f"<p>{_('While you type, we show whether somebody works with this customer already. The decision comes with its reason.')}</p>", "partner"),
        ("oven-control-stops", support, _("The control stops during the day"), _("Switch it off at the main switch for a minute; if it stops again, open a case."), f"<p>{_('A control that stops once a day is usually too warm: leave a hand’s breadth of air behind it. If it stops again within a day, open a case and add a photo of the display.')}</p>", "customer"),
        ("how-we-triage", support, _("How we sort cases"), _("What is critical, who takes it, and by when we answer."), f"<p>{_('Work at a stand: critical. Work goes on with trouble: high. Everything else: normal. Ask back once, with all your questions.')}</p>", "internal"),
    ]  # fmt: skip
