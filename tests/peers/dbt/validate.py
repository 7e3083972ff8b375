"""dbt on DuckDB: the output of `dbt build`, and the stored failures of each test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))
from rules import AT_SCALE, CAME, KEY, LAST_DAY, LISTS, MAX_MINUTES, PATTERNS, READER_DEFAULTS, record_done  # noqa: E402


def main(file: Path, out: Path) -> None:
    database = out / "contacts.duckdb"
    settings = {"CONTACTS_DATABASE": str(database), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    variables = {
        "file": str(file),
        "lists": LISTS,
        "patterns": PATTERNS,
        "came": CAME,
        "most_minutes": MAX_MINUTES,
        "last_day": LAST_DAY.isoformat(),
        "keep_rejects": not READER_DEFAULTS,
    }
    folders = ["--project-dir", str(HERE), "--profiles-dir", str(HERE)]
    outputs = ["--target-path", str(out / "target"), "--log-path", str(out / "logs")]
    dbt = Path(sys.executable).with_name("dbt")
    command = [dbt, "build", *folders, *outputs, "--no-use-colors", "--vars", json.dumps(variables)]
    subprocess.run(command, env={**os.environ, **settings}, check=False)  # it exits with 1 if a test fails
    with duckdb.connect(str(database), read_only=True) as db:
        failures = "select table_schema, table_name from information_schema.tables where table_name <> 'contacts'"
        stored = {table: db.sql(f'select * from "{schema}"."{table}"') for schema, table in db.sql(failures).fetchall()}
        if AT_SCALE:
            record_done(out, rows=len(db.sql("from contacts")), failures=sum(map(len, stored.values())))
            return
        db.sql(f"select {KEY} from contacts").write_csv(str(out / "rows_read.csv"))
        for table, rows in stored.items():
            if len(rows):
                rows.write_csv(str(out / f"failures_{table}.csv"))
    database.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
