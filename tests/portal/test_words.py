"""Words are remembered, and stay what gettext says."""

import pytest
from django.contrib.auth.models import Group
from django.utils import translation
from django.utils.translation import gettext, ngettext, pgettext, trans_real

from portal import words
from portal.models import User
from tests.portal.test_rows import MOMENT


def test_remembered_words_are_gettexts(monkeypatch):
    said = ["Requests", "Sign out", "May", "no such word at all", "a\r\nb", ""]
    monkeypatch.setattr(trans_real, "_translations", {})

    def told():
        found = []
        for code in ("en", "ru"):
            with translation.override(code):
                found += [gettext(word) for word in said] + [pgettext("month", "May"), ngettext("%(n)s day", "%(n)s days", 3)]
        return found

    before = told()
    words.remember()
    words.remember()
    assert told() == told() == before
    assert trans_real.translation("ru").gettext.cache_info().hits


def test_a_user_is_found_by_key_as_the_orm_finds_them(db, django_assert_num_queries):
    user = User.objects.create_user("kay@north.example", "secret words 1", name="Kay", last_login=MOMENT)
    for _again in range(2):
        with django_assert_num_queries(1):
            found = User.objects.get(pk=user.pk)
        orms = User.objects.filter(pk=user.pk).get()
        assert found == user and all(getattr(found, f.attname) == getattr(orms, f.attname) for f in User._meta.concrete_fields)
        assert found.get_session_auth_hash() == user.get_session_auth_hash()
    assert User.objects.get(pk=str(user.pk)) == User.objects.get(email="kay@north.example") == user
    for key in (0, -1, user.pk + 1000, 2**70):
        with pytest.raises(User.DoesNotExist):
            User.objects.get(pk=key)


def test_a_groups_users_are_only_its_own(db):
    """Managers of relations inherit from the one of all users, and ask among their own."""
    user = User.objects.create_user("kay@north.example", "secret words 1", name="Kay")
    group = Group.objects.create(name="some")
    with pytest.raises(User.DoesNotExist):
        group.user_set.get(pk=user.pk)
    group.user_set.add(user)
    assert group.user_set.get(pk=user.pk) == user
