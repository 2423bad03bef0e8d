"""Writes of the customer base, named verb_noun: check, lock, save, audit, emit."""

from crm.services.accounts import account_for_organisation, create_account, create_contact, update_account, update_contact
from crm.services.activities import log_activity
from crm.services.cases import NewCase, answer_case, open_case, reopen_case, reply_to_case, settle_case
from crm.services.deals import (
    StepNeeded,
    assign_owner,
    create_deal,
    drop,
    enter_stage,
    lose_deal,
    move_deal,
    open_deal,
    open_registered_deal,
    set_discount,
    set_partner,
    start_deal_process,
    update_deal,
    win_deal,
)
from crm.services.leads import convert_lead, create_lead, disqualify_lead, update_lead
from crm.services.process import PROCESS, deal_start, deal_words, start_data
from crm.services.products import create_product, update_product
from crm.services.quotes import accept_quote, answer_quote, decline_quote, expire_quotes, make_quote, quote_words, request_change
from crm.services.requests import NewRequest, PublicRequest, close_request, submit_public_request, submit_request
from crm.services.signing import GivenSignature, offer_for, sign_quote

__all__ = [
    "GivenSignature",
    "PROCESS",
    "StepNeeded",
    "answer_quote",
    "deal_start",
    "deal_words",
    "drop",
    "open_registered_deal",
    "quote_words",
    "start_data",
    "start_deal_process",
    "NewCase",
    "NewRequest",
    "answer_case",
    "open_case",
    "reopen_case",
    "reply_to_case",
    "settle_case",
    "PublicRequest",
    "accept_quote",
    "account_for_organisation",
    "assign_owner",
    "close_request",
    "convert_lead",
    "create_account",
    "create_contact",
    "create_deal",
    "create_lead",
    "create_product",
    "decline_quote",
    "disqualify_lead",
    "enter_stage",
    "expire_quotes",
    "log_activity",
    "lose_deal",
    "make_quote",
    "move_deal",
    "offer_for",
    "open_deal",
    "request_change",
    "set_discount",
    "set_partner",
    "sign_quote",
    "submit_public_request",
    "submit_request",
    "update_account",
    "update_contact",
    "update_deal",
    "update_lead",
    "update_product",
    "win_deal",
]
