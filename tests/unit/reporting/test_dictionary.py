"""The data dictionary has every table, column, code list and rule, and a reader's questions are answered in it."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest

from flows.reporting.render.dictionary.content import DictionaryColumn, DictionaryTable, dictionary
from flows.reporting.render.dictionary.guards import rules_by_kind
from flows.reporting.render.dictionary.joins import joins
from flows.reporting.render.dictionary.markdown import dictionary_markdown
from flows.reporting.render.dictionary.page import dictionary_html
from schemas._contract.catalogue import audit_tables, datasets, marts, reference_tables
from schemas._contract.derive import columns
from schemas._contract.meanings import Privacy
from schemas._rules.explain import rules_of

TABLES = {t.address: t for t in dictionary().tables}


@lru_cache
def page() -> str:
    return dictionary_html()


@lru_cache
def markdown() -> str:
    return dictionary_markdown()


def column(table: str, name: str) -> DictionaryColumn:
    (found,) = (c for c in TABLES[table].columns if c.name == name)
    return found


def stated_columns() -> dict[str, list[str]]:
    """The columns of every table, as the contracts and the headers of the marts state them."""
    of_contracts = {
        f"{schema}.{c.dataset}": [column.name for column in columns(c, sent_by_sites=sent)]
        for schema, contracts, sent in (
            ("core", datasets(), True),
            ("core", reference_tables(), False),
            ("audit", audit_tables(), False),
        )
        for c in contracts.values()
    }
    return of_contracts | {m.address: [c.name for c in m.columns] for m in marts()}


def test_it_has_every_column_of_every_table() -> None:
    assert {address: [c.name for c in t.columns] for address, t in TABLES.items()} == stated_columns()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_says_what_it_means_and_whether_it_is_personal(table: DictionaryTable) -> None:
    for c in table.columns:
        assert len(c.meaning.text) > 8 and c.meaning.text.endswith("."), c.name
        assert c.meaning.comment.count(str(c.meaning.privacy)) == 1
        assert ".." not in c.meaning.comment.replace("...", ""), c.meaning.comment
        if c.meaning.codes:
            assert dictionary().lists[c.meaning.codes].codes
    assert {*table.key} <= {c.name for c in table.columns}


@pytest.mark.parametrize("dataset", datasets())
def test_a_column_names_every_rule_that_can_be_reported_on_it(dataset: str) -> None:
    contract = datasets()[dataset]
    for name, field in contract.by_name.items():
        guards = column(f"core.{dataset}", name).guards
        named = {*(r.rule_id for r in guards.own), *guards.general, *rules_by_kind()[field.kind]}
        assert named == {r.rule_id for r, _, f in rules_of(contract) if f == name}


def test_both_pages_have_every_column_code_and_rule() -> None:
    for table in TABLES.values():
        for c in table.columns:
            assert f"| `{c.name}`<br>{c.type} |" in markdown()
            assert f"<b>{c.name}</b><small>{c.type}</small>" in page()
    for codes in dictionary().lists.values():
        for code in codes.codes:
            assert f'<th scope="row">{code.code}</th>' in page()
    ids = {r.rule_id for c in datasets().values() for r, _, _ in rules_of(c)}
    assert not [i for i in ids if i not in markdown() or i not in page()]


def test_every_link_of_the_pages_leads_somewhere() -> None:
    targets = re.findall(r' id="([^"]+)"', page())
    assert len(targets) == len(set(targets))
    assert set(re.findall(r'href="#([^"]+)"', page())) <= set(targets)
    headings = re.findall(r"^#+ (.+)$", markdown(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", markdown())) <= anchors


def test_a_join_finds_at_most_one_row() -> None:
    for join in joins():
        assert {*join.using} <= {c.name for c in TABLES[join.table].columns}
        key = {*TABLES[join.other].key} - {"unit"}  # of outcomes.kpi: each figure has one
        assert key <= {*join.using}, join


def test_people_are_personal_and_figures_are_not() -> None:
    privacy = {(t.address, c.name): c.meaning.privacy for t in TABLES.values() for c in t.columns}
    assert privacy["core.participants", "religion"] is Privacy.PERSONAL
    assert privacy["outcomes.episodes", "participant_ref"] is Privacy.PERSONAL
    assert privacy["outcomes.kpi_cases", "is_achieved"] is Privacy.OF_A_PERSON
    assert {p for (address, _), p in privacy.items() if address.startswith("published.")} == {Privacy.NONE}


QUESTIONS = {
    "what does 98 mean in weekly_hours_worked?": (
        "core.employment_outcomes",
        "weekly_hours_worked",
        ("98 = Not applicable: not employed", "hours a week, in bands"),
    ),
    "when is exit_date empty?": ("core.referrals", "exit_date", ("while the episode is open",)),
    "is religion personal?": ("core.participants", "religion", ("yes: reports never show its values",)),
    "which rules check job_start_date?": (
        "core.employment_outcomes",
        "job_start_date",
        ("E01", "E12", "P20", "compared with others by E03, E05, E11", "C06"),
    ),
    "what is n_immature?": ("outcomes.kpi", "n_immature", ("whose window had not passed at the cut-off",)),
    "what unit has intervention_rate?": ("core.claims", "intervention_rate", ("proportion, 0 to 1",)),
    "under which headings may sites send contact_date?": ("core.contacts", "contact_date", ("Date of contact",)),
    "what does held_up mean?": (
        "audit.deliveries",
        "standing",
        ("held_up (it does not fit the site's other files, and replaces nothing)",),
    ),
    "why may a rate be missing?": ("outcomes.kpi", "reason", ("no_mature_cases, data_not_received",)),
    "may 0 stand for an amount that is not known?": (
        "core.funding_awards",
        "amount",
        ("empty, never 0, where it is not known",),
    ),
    "where is a row in the file that a site sent?": (
        "core.contacts",
        "source_row",
        ("physical line (CSV) or sheet row",),
    ),
}


@pytest.mark.parametrize(("table", "name", "answers"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_is_answered_where_a_reader_looks(table: str, name: str, answers: tuple[str, ...]) -> None:
    """In the row of the column, below the heading of its table."""
    section = markdown().split(f"\n### {table}\n")[1].split("\n### ")[0]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| `{name}`<br>"))
    assert not [answer for answer in answers if answer not in re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", row)]


def test_what_a_figure_counts_is_in_the_lists() -> None:
    """A reader who looks for 'kpi_06' finds what it counts, among what."""
    section = markdown().split("\n### List kpi_code\n")[1].split("\n### ")[0]
    (row,) = (line for line in section.splitlines() if "kpi_06_job_within_12_months" in line)
    assert "starts with a job start within 365 days, of starts offered the service and known to be out of work" in row


def test_how_a_figure_is_joined_to_the_people_behind_it() -> None:
    section = markdown().split("\n## How tables are joined\n")[1].split("\n## ")[0]
    assert "join core.referrals r using (site_code, episode_id)" in section
    assert "[core.sites](#coresites)" in section
