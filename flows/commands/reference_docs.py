"""Generate docs/guide-for-sites.md from the contracts and rules, so that no fact is typed twice.

`tests/golden/test_documents.py` fails when a page in docs/ is out of date; `UPDATE_GOLDEN=1` (or `make docs`) rewrites
it.
"""

from __future__ import annotations

from flows.commands.guide_on_deletions import section_on_deletions
from flows.deliveries.formats import ENDINGS, Format
from flows.runtime.wording import listed
from schemas._contract.catalogue import datasets
from schemas._contract.code_dates import dated_in_words
from schemas._contract.model import Contract, Severity
from schemas._contract.registry import OPTIONAL, QUARTERLY, REQUIRED, programmes, rows
from schemas._contract.workbook_names import CONFIRM, NIL_RETURN, PROBLEMS, READ_ME, ROW_PROBLEMS, SIGN_OFF, TO_FIX
from schemas._rules.explain import explain
from schemas._rules.privacy import PERSONAL_DATA_RULES

GENERATED = (
    "<!-- Made from the contracts and the rules by flows/commands/reference_docs.py: change those, not this page. -->"
)
# The faults that cost sites the most rows and files, each shown on one field: (dataset, rule, field, severity).
COSTLY_FAULTS = (
    ("contacts", "F09", "contact_date", Severity.FILE),
    ("contacts", "C02", "contact_date", Severity.ROW),
    ("contacts", "V02", "attended", Severity.ROW),
    ("contacts", "F13", "", Severity.ROW),
    ("contacts", "P04", "contact_id", Severity.ROW),
)
_GOES_WITH_CLAIMS = (OPTIONAL, QUARTERLY)
_COSTS = {Severity.FILE: "The file is refused", Severity.ROW: "The row is held back"}


def site_guide() -> str:
    """The one-page guide for those who send files: docs/guide-for-sites.md."""
    return "\n".join(
        [
            GENERATED,
            *_NAME_SECTION,
            *_dataset_table(),
            *_headings(),
            *_codes_with_dates(),
            *_PERSONAL_DATA_SECTION,
            *_personal_data_rules(),
            *_FAULTS_SECTION,
            *_costly_faults(),
            *_LATER_SECTIONS,
            *_MONEY_SECTION,
            *section_on_deletions(),
            "",
        ]
    )


def _dataset_table() -> list[str]:
    lines = [f"| `{c.dataset}` | {c.description} | {c.grain} | {_how_often(c)} |" for c in _sent_by_sites()]
    return ["| dataset | what it holds | a row is | for |", "|---|---|---|---|", *lines]


def _sent_by_sites() -> list[Contract]:
    """The datasets that some programme's sites owe, and those that go with them, in the order of the registry."""
    returns = [r for r in rows("returns") if r["sender"] in programmes()]
    sent = (r["dataset"] for r in returns if r["need"] == REQUIRED or (r["need"], r["frequency"]) == _GOES_WITH_CLAIMS)
    return [datasets()[name] for name in dict.fromkeys(sent)]


def _how_often(contract: Contract) -> str:
    frequency = next(r["frequency"] for r in rows("returns") if r["dataset"] == contract.dataset)
    return "each quarter" if frequency == QUARTERLY else "each month"


def _headings() -> list[str]:
    """The headings of each dataset, in the order of its contract."""
    intro = "Their headings, which may be in any order. A column in brackets may be left out:"
    lines = []
    for contract in _sent_by_sites():
        names = [f"`{f.name}`" if f.column_is_required else f"(`{f.name}`)" for f in contract.fields]
        lines.append(f"- {contract.title}: {', '.join(names)}")
    return ["", intro, "", *lines]


def _codes_with_dates() -> list[str]:
    """The codes that are in use for a time only, with their dates and what took their place (rule C37)."""
    fields = [f for c in _sent_by_sites() for f in c.fields if f.codes and f.code_list.dated]
    lines = dict.fromkeys(f"- `{f.name}`: {'; '.join(dated_in_words(f.code_list))}" for f in fields)
    intro = "Some codes are in use for a time only. Send the one that was in use on the day of the row:"
    return ["", intro, "", *lines]


def _personal_data_rules() -> list[str]:
    return [f"- {r.title} ({r.rule_id})" for r in PERSONAL_DATA_RULES if r.severity is Severity.FILE]


def _costly_faults() -> list[str]:
    lines = []
    for number, (dataset, rule_id, field, severity) in enumerate(COSTLY_FAULTS, 1):
        texts = explain(datasets()[dataset], rule_id, field, severity)
        advice = f"{_COSTS[severity]}. Expected: {texts.expected}. {texts.fix}"
        lines.append(f"{number}. **{texts.title}** ({rule_id}). {advice}")
    return lines


# JSON is for the grants of other funders, and no site sends those
_endings = listed([f"`{e}`" for kind, endings in ENDINGS.items() if kind is not Format.JSON for e in endings], "or")
_NAME_SECTION = f"""
# Guide for sites

## 1. Name the file, and put it in your folder

Name the file `<site>_<dataset>_<yyyymm>_v<n>` and put it in your site's folder. For example,
`MHT-BPL_contacts_201611_v1.xlsx` is the first file of Blackpool's contacts up to the end of November 2016.

- **What it holds**: everything to date, not only what is new since your last file.
- **The same month again**: raise the version, from `_v1` to `_v2` and so on, also where the file that you sent before
  was refused. A file that was only checked (section 6) keeps its version.
- **Type of file**: the name ends in {_endings}. Save CSV as 'CSV UTF-8'.
- **A name that is slightly off**, such as a copy that your browser numbered, small letters or spaces: it is understood
  if it can mean only one thing, and your report says so.
- **Several datasets in one workbook**: one sheet for each dataset, named after it. The workbook is called
  `<site>_return_<yyyymm>_v<n>.xlsx`.
- **A month in which nothing happened**: leave the dataset's sheet of our blank workbook (below) empty, write yes beside
  its name on the sheet '{NIL_RETURN}', and send the workbook. With a CSV file: send its headings and no rows, and put
  beside it a text file of the same name that ends in `.manifest.json`, such as
  `MHT-BPL_contacts_201611_v1.manifest.json`, and that holds `{{"nil_return": true}}`.
- **Who agrees with the amounts**: our blank workbook has a sheet '{SIGN_OFF}' with a line for each dataset of money:
  the total, the role of whoever has checked it, and the date. Every cell may stay empty; never write a name. Where the
  total is not the sum of the amounts, the file is refused. Beside a CSV file, a text file as above can hold
  `{{"gbp_total": 12500.00, "signed_off_by_role": "finance_lead", "signed_off_on": "2016-12-01"}}`.

Begin with `index.html` among your reports: it has the latest file of each dataset, what to do with it, and what is due
next where the calendar of returns has a date. Files that could not be taken in are listed on the page
`<site>_not_taken_in.html` (section 4).

These are the datasets:

""".splitlines()
_PERSONAL_DATA_SECTION = """
You can start from a blank workbook. It has lists to pick from, notes on every column and made-up examples. Make one
with a command below (section 7 says how to install `pilots`), or ask the data team to send you one:

```
pilots template contacts --site MHT-BPL --period 201611
pilots template return --site MHT-BPL --period 201611
```

## 2. What must never be in a file

If a single cell makes one of these true, the whole file is refused and none of it is loaded:

""".splitlines()
_FAULTS_SECTION = """
Do not add columns for names, addresses or notes either: a file with a column headed like one is refused too. Use your
own references for people and staff.

A file that was refused for this is still in your folder. Delete it there, tell the data team, and report it under your
incident process.

## 3. The five faults that cost most

The examples are from contacts; the faults are the same in every dataset.

""".splitlines()
_LATER_SECTIONS = f"""
## 4. Read the report

The morning after, your reports folder has a page with the name of your file. Its title says what to do, and by
when if a return is due.

- 'Fix' means that rows were held back, or that the whole file was refused. 'Worth checking' means that the rows were
  accepted.
- Each problem says where it is (the sheet, column and rows, as in your own file), what was found, what is expected and
  how to fix it.
- Anything that may be personal is not repeated on the page: look at the cell in your own file.

A file is not taken in if its name or folder is not as in section 1, or if its manifest (the text file beside it) is not
in the agreed form. It has no page of its own: the page `<site>_not_taken_in.html` in your reports folder says how to
name it. The usual cause is our own marked workbook (section 5), sent back under the name that ends in `{TO_FIX}.xlsx`.

## 5. Fix it, and send it again

If something must be fixed, a copy of your file with every bad cell marked is beside the page. Its name ends in
`{TO_FIX}.xlsx`.

- The sheet *{READ_ME}* says what to do.
- The sheet *{PROBLEMS}* lists each cell, with a link to it.
- On your own sheets the bad cells are filled and bold. The last column, *{ROW_PROBLEMS}*, says what is wrong with each
  row.

Do what each problem says: fix the cell or, where it says so, delete the whole row. Leave everything else as it is. Save
the file as an Excel workbook under the name that the page gives, and put it in your folder. For a file that you sent,
that is its name with the next version, such as `MHT-BPL_contacts_201611_v2.xlsx`. You do not have to remove what we
added.

There is no marked copy of a file that may hold personal data, has very many rows, has headings that are not known where
one of ours is missing, or has no row that could be checked. The page, and the file beside it that ends in
`findings.csv`, say the same.

**If you do not know the right value**, leave the row as it is and send the file: the row is held back, and all others
load. Where the cell may be empty, clear it. Never guess, and choose a code such as 'other' only where it is true. Only
where the whole file is refused do the rows that are to blame have to be fixed, or taken out.

**Opening a CSV file by a double click changes it**: Excel takes the nought off codes such as 01 and reads dates its own
way, and saving keeps that. In Excel, use Data, From Text/CSV, and give every column the type Text; or fix the marked
workbook and send that, which is an Excel workbook in which codes and dates stay as they are.

**If a warning is about a row that is right all the same**, say so once. Some of the warnings under 'Worth checking' can
be confirmed. The page says which, and the marked workbook has a sheet *{CONFIRM}* with a line for each of their rows:
choose a reason and your role from the lists in its cells, and send the workbook as the next version. You are not asked
about that row again while its values stay the same. Nobody's name is needed. A file that was accepted has such a
workbook too if it has such a warning; you need not send it.

If you think that a rule is wrong, tell the data team. Once the rule is corrected, rows that it held back count without
being sent again.

Some checks ask for a figure or a file 'by the secure route'. That is the way of sending that your site's agreement
names; ask the data team if you do not know it.

## 6. Check before you send

You can check a file on your own computer, once `pilots` is installed there (section 7). Nothing is sent anywhere. Or
ask the data team to check the file for you.

```
pilots check MHT-BPL_contacts_201611_v1.xlsx --to reports
```

This makes the checks of the nightly run, and writes a page and a marked workbook like those of a report into the folder
`reports`. They say what would load, be held back or be refused if you sent the file.

- Rules that compare two datasets, such as a contact with its referral, are checked if both are in one workbook
  (section 1).
- Checks that need your earlier files, or those of others, are listed at the end as not checked here.
- If the file has another name, add `--site MHT-BPL --dataset contacts --period 201611`.
- If an earlier report of the file is open in Excel, close it first: it cannot be replaced while it is open.

## 7. Install `pilots` on Windows

You need Python 3.11, 3.12 or 3.13 (64-bit), from python.org or the Microsoft Store. You do not need administrator
rights.

1. Unpack the zip of the project that the data team gives you into a folder with a short name, such as `C:\\pilots`.
2. Open that folder in File Explorer, type `cmd` in its address bar and press Enter.
3. Enter these lines one by one (with `python` in place of `py` if there is no `py`):

```
py -m venv .venv
.venv\\Scripts\\python -m pip install --no-deps --require-hashes -r requirements.lock
.venv\\Scripts\\python -m pip install --no-deps --no-build-isolation .
```

The second line downloads the libraries, each in the one version that was tested. It takes some minutes.

From then on, open a window in the same way and enter `.venv\\Scripts\\activate` first: the commands of sections 1 and 6
then work in that window. Or give the whole path each time:

```
C:\\pilots\\.venv\\Scripts\\pilots check MHT-BPL_contacts_201611_v1.xlsx --to reports
```

For a newer version, delete the folder and do the same again. On Linux and macOS the same lines work, with `python3` for
`py` and `.venv/bin/` for `.venv\\Scripts\\`.""".splitlines()

_MONEY_SECTION = """
## 8. Money

**What is owed when**: the datasets of money marked 'each quarter' in section 1, for March, June, September and
December, such as `MHT-BPL_claims_201612_v1.xlsx`. The day is on your `index.html`, the same as for that month's other
files. Each file holds everything to date, as the others do. Without claims, as under a grant that asks for none, send a
nil return (section 1). A file of money may be signed off: role, date and total on the sheet 'Sign-off' (section 1).

**What to send for what**:

- **How the award is to be spent:** `funding_profile`: every quarter and cost category of the award. It spreads the
  grant, not match.
- **The profile was agreed anew:** All its rows again with the next `profile_version` and its `approved_date`. It
  replaces the one before whole. Forecasts for quarters to come go into `forecast_amount` of any version.
- **What you ask for:** `claims`: a row for each claim with its period, and how grant and match share the costs;
  `claim_lines`: its costs by kind, which add up to it.
- **What the funder decided:** The same claim, with `approved_amount`, `disallowed_amount` and its reason, then
  `paid_amount` and `paid_date`.
- **A submitted claim was wrong:** Leave it as it is, and add a claim of the type `adjustment`: the difference, below
  or above 0, for the same period, with the number of the first in `original_claim_id`. A rejected claim may be made
  again under a new number.
- **Money is needed before costs arise:** A claim of the type `advance`. When the costs have arisen, claim them as
  usual for that period: the advance is in no claimed sum.
- **What was spent:** `expenditure`: a row for each ledger entry or account and period, with who bore it in
  `funding_source`: `grant`, `match_cash` or `match_in_kind`.
- **Nothing was spent in a quarter:** A row of 0 for the award and period. A quarter with a budget and no row is shown
  as 'spending missing', and leaves the outturn and the cost of a job open.
- **An invoice was refunded or booked wrongly:** A row of its own below 0 with `credit_note` Y and its
  `credit_reason`. Earlier rows stay.
- **A cost has arisen and is not in the ledger:** `accrual_amount`, and the same amount below 0 in the period in which
  it is booked.
- **Money moved between budget lines:** `virements_carry_forward`: two rows with one `pair_id`, `virement_out` and
  `virement_in`, for the same amount above 0, year and day, each with its `cost_category`.
- **Money is to be spent a year later:** A row `carry_forward` from one year to the next, up to what the year had
  left. What is not carried forward is not left. Without a `cost_category` it stands beside the budget lines.
- **Money went back to the funder:** A row `clawback`, above 0: it is not taken off what was paid.
- **Match was promised, confirmed, evidenced:** `match_funding`: a row for each, with the award; an evidenced one with
  `evidence_ref`, which counts once.
- **An outcome was paid for:** `payment_schedule`: its prices; `outcome_payments`: a row for each payment.

An amount that is not known is left empty with `amount_status` unknown, never 0. Amounts are in pounds and pence.

**The page on money** is `funding/index.html` in the folder of all reports, with a page for each programme; ask the data
team for them if you see your own folder alone. Each begins with 'In short':

- **What was promised? What was signed?** Awards at their stages: a limit and an announcement are no award, and are
  never added to one. Each has its source, words and date.
- **Who matched it?** `match_funding`: pledged, confirmed and evidenced are three statements of the same money.
- **What was claimed and paid?** `claims`: drafts and rejected claims are left out, corrections are in.
- **What was spent?** `expenditure`, by quarter beside the profile. 'spending missing' is a quarter with a budget and
  no row.
- **What is left?** The signed award less what was spent of it; by year and line, the budget with virements and
  carry-forward less what was spent.
- **What did a job cost?** Spending of a year by the people who started in it and found work within 12 months; grant
  alone, and with evidenced match. Years not yet mature have no cost. The page says what it leaves out.
- **What does not agree?** Every sum that should equal another, or stay within it: what was expected, what was found,
  and what the difference means.

Counts of people on these pages are rounded to the nearest 5, and 0 to 4 are hidden.""".splitlines()
