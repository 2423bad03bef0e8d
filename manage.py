#!/usr/bin/env python
"""Django's command line for Tandem."""

import os
import sys

from portal import embedded

NEED_NO_VALKEY = {"check", "makemigrations", "makemessages", "compilemessages", "help", "version"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    if set(sys.argv[1:2]) <= NEED_NO_VALKEY:
        execute_from_command_line(sys.argv)
    else:
        with embedded.valkey_at_hand():
            execute_from_command_line(sys.argv)
