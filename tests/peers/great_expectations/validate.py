"""great-expectations with an ephemeral context: result in the format COMPLETE, and data docs."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"
logging.basicConfig(level="WARNING")  # it logs Python's warnings, which without a handler would be lost

import great_expectations as gx  # noqa: E402
import great_expectations.expectations as gxe  # noqa: E402

sys.path.append(str(Path(__file__).parents[1]))
from rules import AT_SCALE, CAME, COLUMNS, KEY, LISTS, PATTERNS, READER_DEFAULTS, REQUIRED, record_done  # noqa: E402

DID_NOT_COME = f"attended.notna() and attended not in {list(CAME)}"
AFTER_THE_EXTRACT = r"^(2016-12|201[7-9]|20[2-9]\d)"  # rules.LAST_DAY


def expectations() -> list[gxe.Expectation]:
    minutes = "duration_minutes"
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=c) for c in REQUIRED),
        gxe.ExpectColumnValuesToBeUnique(column=KEY),
        *(gxe.ExpectColumnValuesToBeInSet(column=c, value_set=list(allowed)) for c, allowed in LISTS.items()),
        *(gxe.ExpectColumnValuesToMatchRegex(column=c, regex=pattern) for c, pattern in PATTERNS.items()),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="contact_date", strftime_format="%Y-%m-%d"),
        # text cannot be compared with a date, so 'not after the extract' is a pattern
        gxe.ExpectColumnValuesToNotMatchRegex(column="contact_date", regex=AFTER_THE_EXTRACT),
        gxe.ExpectColumnValuesToMatchRegex(column=minutes, regex=r"^\d+$"),
        # all columns are text, because codes must stay as sent; so the range 0 to 480 is a pattern
        gxe.ExpectColumnValuesToMatchRegex(
            column=minutes, regex=r"^(\D.*|\d+\D+|[0-9]|[1-9]\d|[1-3]\d\d|4[0-7]\d|480)$"
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column=minutes, value_set=["0"], row_condition=DID_NOT_COME, condition_parser="pandas"
        ),
    ]


def main(file: Path, out: Path) -> None:
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("sites").add_csv_asset(
        "contacts",
        filepath_or_buffer=file,
        dtype=dict.fromkeys(COLUMNS, "str"),
        on_bad_lines="error" if READER_DEFAULTS else "warn",
    )
    batch = asset.add_batch_definition("whole file")
    if not AT_SCALE:
        batch.get_batch().data.dataframe[[KEY]].to_csv(out / "rows_read.csv", index=False)
    suite = context.suites.add(gx.ExpectationSuite(name="contacts", expectations=expectations()))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="contacts", data=batch, suite=suite))
    docs = {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(out / "data_docs")},
    }
    context.add_data_docs_site("local", docs)
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name="contacts",
            validation_definitions=[definition],
            actions=[] if AT_SCALE else [gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["local"])],
            result_format="COMPLETE",
        )
    )
    results = [r.to_json_dict() for r in checkpoint.run().run_results.values()]
    (out / "result.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    outcomes = [r["result"] for r in results[0]["results"]]
    record_done(out, rows=outcomes[0]["element_count"], failures=sum(o["unexpected_count"] for o in outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
