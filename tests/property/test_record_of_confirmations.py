"""The record of confirmations depends on neither the order in which they came nor on how often one was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flows.steps.confirm.keyed_hash import KeyedHash
from flows.steps.confirm.record import Confirmations, read_confirmations, record_confirmations
from flows.store.paths import DataPaths
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import code_list
from schemas.audit.confirmations import REASONS, ROLES, Confirmation

RULES = [(c.dataset, r.rule_id, r.field) for c in datasets().values() for r in c.confirmable_rules]
lines = st.builds(
    lambda rule, site, key, value, day, reason, role: Confirmation(
        site, rule[0], key * 32, rule[2], rule[1], value * 32, date(2016, 12, day), reason, role
    ),
    st.sampled_from(RULES[:2]),
    st.sampled_from(["MHT-BPL", "MHT-WLA"]),
    st.sampled_from("01"),
    st.sampled_from("ab"),
    st.integers(1, 3),
    st.sampled_from(code_list(REASONS).codes[:2]),
    st.sampled_from(code_list(ROLES).codes[:2]),
)


@given(st.lists(st.lists(lines, max_size=4), max_size=4), st.randoms())
def test_the_record_is_the_same_in_any_order_and_holds_the_first_of_equal_lines(
    tmp_path: Path, nights: list[list[Confirmation]], random: Random
) -> None:
    in_order, shuffled = [*nights], [*nights, *nights]
    random.shuffle(shuffled)
    records = []
    for name, order in (("one", in_order), ("other", shuffled)):
        paths = DataPaths(tmp_path / name)
        paths.data.mkdir(exist_ok=True)
        paths.confirmations.unlink(missing_ok=True)
        for night in order:
            record_confirmations(paths, read_confirmations(paths), night)
        records.append(read_confirmations(paths))
    one, other = (record.lines for record in records)
    assert one == other
    of_place = {(*c.place, c.value_hash): c.confirmed_on for c in one}
    assert len(of_place) == len(one)
    assert all(of_place[*c.place, c.value_hash] <= c.confirmed_on for night in nights for c in night)


@given(st.lists(lines, max_size=6))
def test_what_is_written_is_read_again(tmp_path: Path, confirmed: list[Confirmation]) -> None:
    paths = DataPaths(tmp_path)
    paths.confirmations.unlink(missing_ok=True)
    written = record_confirmations(paths, Confirmations(hash=KeyedHash(bytes(32))), confirmed)
    assert read_confirmations(paths).lines == written.lines
    assert all(c in written.by(c.confirmed_on).lines for c in written.lines)


def test_a_faulty_line_stays_in_the_file(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    place = "MHT-BPL", "contacts", "0" * 32, "contact_date", "K01"
    line = Confirmation(*place, "a" * 32, date(2016, 12, 1), "checked_record", "data_lead")
    record_confirmations(paths, Confirmations(), [line])
    with paths.confirmations.open("a", encoding="utf-8") as file:
        file.write("a line,of another,form\n")
    record_confirmations(paths, read_confirmations(paths), [])
    later = replace(line, key="1" * 32)
    record_confirmations(paths, read_confirmations(paths), [later])
    assert paths.confirmations.read_text(encoding="utf-8").splitlines()[-1] == "a line,of another,form"
    assert len(read_confirmations(paths).lines) == 2
