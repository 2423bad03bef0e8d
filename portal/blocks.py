"""The blocks that editors build the site's pages from; each is drawn by one small template in `portal/blocks/`."""

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock

from portal.blocks_offers import offer_blocks

ICONS = [
    ("bolt", _("Lightning")),
    ("calendar", _("Calendar")),
    ("checklist", _("Check list")),
    ("clock", _("Clock")),
    ("file-text", _("Document")),
    ("heart-handshake", _("Handshake")),
    ("messages", _("Conversation")),
    ("route", _("Road")),
    ("shield-check", _("Shield")),
    ("target", _("Target")),
    ("tool", _("Tool")),
    ("truck-delivery", _("Delivery")),
    ("users", _("People")),
]
TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "document-link", "image", "hr", "code"]


class ValueBlock(blocks.StructBlock):
    """One thing that speaks for the company."""

    icon = blocks.ChoiceBlock(choices=ICONS, default="bolt", label=_("icon"))
    title = blocks.CharBlock(max_length=80, label=_("title"))
    text = blocks.TextBlock(label=_("text"))


class ValuesBlock(blocks.StructBlock):
    """Two to six values side by side."""

    title = blocks.CharBlock(required=False, max_length=120, label=_("title"))
    items = blocks.ListBlock(ValueBlock(), min_num=2, max_num=6, label=_("values"))

    class Meta:
        template = "portal/blocks/values.html"
        icon = "pick"
        label = _("Values")


class StepBlock(blocks.StructBlock):
    """One step of how things go."""

    title = blocks.CharBlock(max_length=80, label=_("title"))
    text = blocks.TextBlock(label=_("text"))


class StepsBlock(blocks.StructBlock):
    """How things go, in order."""

    title = blocks.CharBlock(required=False, max_length=120, label=_("title"))
    items = blocks.ListBlock(StepBlock(), min_num=2, max_num=6, label=_("steps"))

    class Meta:
        template = "portal/blocks/steps.html"
        icon = "list-ol"
        label = _("Steps")


class PictureBlock(blocks.StructBlock):
    """A picture with words beside or below it."""

    image = ImageChooserBlock(label=_("picture"))
    alt = blocks.CharBlock(required=False, max_length=200, label=_("what it shows, for those who don't see it"))
    caption = blocks.CharBlock(required=False, max_length=200, label=_("caption"))

    class Meta:
        template = "portal/blocks/picture.html"
        icon = "image"
        label = _("Picture")


class CallBlock(blocks.StructBlock):
    """An invitation to act: one sentence, one button."""

    title = blocks.CharBlock(max_length=120, label=_("title"))
    text = blocks.TextBlock(required=False, label=_("text"))
    page = blocks.PageChooserBlock(required=False, label=_("page"))
    address = blocks.CharBlock(required=False, max_length=300, label=_("or address"), help_text=_("For example /start/"))
    button = blocks.CharBlock(max_length=60, label=_("words on the button"))

    class Meta:
        template = "portal/blocks/call.html"
        icon = "link-external"
        label = _("Call to act")


class QuestionBlock(blocks.StructBlock):
    """A question and its answer."""

    question = blocks.CharBlock(max_length=200, label=_("question"))
    answer = blocks.RichTextBlock(features=["bold", "italic", "link", "ul", "ol"], label=_("answer"))


class QuestionsBlock(blocks.StructBlock):
    """Questions that open to their answers."""

    title = blocks.CharBlock(required=False, max_length=120, label=_("title"))
    items = blocks.ListBlock(QuestionBlock(), min_num=1, label=_("questions"))

    class Meta:
        template = "portal/blocks/questions.html"
        icon = "help"
        label = _("Questions")


class LatestNewsBlock(blocks.StructBlock):
    """The newest news."""

    title = blocks.CharBlock(default=_("News"), max_length=120, label=_("title"))
    count = blocks.IntegerBlock(default=3, min_value=1, max_value=9, label=_("how many"))

    class Meta:
        template = "portal/blocks/latest_news.html"
        icon = "date"
        label = _("Latest news")


class CardsBlock(blocks.StructBlock):
    """What the company offers, from the catalogue."""

    title = blocks.CharBlock(required=False, max_length=120, label=_("title"))
    count = blocks.IntegerBlock(default=6, min_value=1, max_value=24, label=_("how many"))

    class Meta:
        template = "portal/blocks/cards.html"
        icon = "tag"
        label = _("Products of the catalogue")


def text_block() -> blocks.RichTextBlock:
    """Words with headings, lists, links and pictures."""
    return blocks.RichTextBlock(features=TEXT_FEATURES, template="portal/blocks/text.html", icon="pilcrow", label=_("Text"))


def page_blocks() -> list[tuple[str, blocks.Block]]:
    """What a page of the site may hold."""
    return [
        ("values", ValuesBlock()),
        ("steps", StepsBlock()),
        ("text", text_block()),
        ("picture", PictureBlock()),
        ("questions", QuestionsBlock()),
        ("cards", CardsBlock()),
        *offer_blocks(),
        ("latest_news", LatestNewsBlock()),
        ("call", CallBlock()),
    ]


def article_blocks() -> list[tuple[str, blocks.Block]]:
    """What news and knowledge hold."""
    return [("text", text_block()), ("picture", PictureBlock()), ("questions", QuestionsBlock()), ("call", CallBlock())]
