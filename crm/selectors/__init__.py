"""Reads of the customer base for pages and other packages: `fn(actor, …)` → small frozen dataclasses."""

from crm.selectors.accounts import (
    Caretaker,
    KnownCompany,
    SimilarAccount,
    account_of_organisation,
    caretaker_of,
    find_company,
    plain_name,
    similar_accounts,
)
from crm.selectors.cases import CaseView, case_choices, case_view, cases_for
from crm.selectors.catalogue import ProductCard, catalogue, product_card
from crm.selectors.deals import (
    DealFacts,
    JointDealFacts,
    PartnerFacts,
    deal_facts,
    deals_of_request,
    joint_deal,
    joint_deals,
    partner_facts,
    stage_labels,
)
from crm.selectors.quotes import QuoteLineView, QuoteView, quote_view, quotes_for, quotes_of_deal, quotes_of_request
from crm.selectors.requests import RequestView, request_view, requests_for

__all__ = [
    "Caretaker",
    "CaseView",
    "DealFacts",
    "case_choices",
    "case_view",
    "cases_for",
    "JointDealFacts",
    "PartnerFacts",
    "KnownCompany",
    "ProductCard",
    "QuoteLineView",
    "QuoteView",
    "RequestView",
    "SimilarAccount",
    "account_of_organisation",
    "caretaker_of",
    "catalogue",
    "deal_facts",
    "deals_of_request",
    "find_company",
    "joint_deal",
    "joint_deals",
    "partner_facts",
    "plain_name",
    "product_card",
    "quote_view",
    "quotes_for",
    "quotes_of_deal",
    "quotes_of_request",
    "request_view",
    "requests_for",
    "similar_accounts",
    "stage_labels",
]
