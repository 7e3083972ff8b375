-- The tables and columns are called what the code calls them (docs/glossary.md). No row is added, lost or changed in
-- meaning.
alter table judged rename to validation_results;
alter table validation_results rename column judgement_key to result_key;
alter table reported rename to report_digests;
alter table told rename to report_snapshots;
alter table held rename to held_rows;
alter table standing rename to cached_summary;
alter table cached_summary rename column look to input_fingerprint;
-- A summary that is no JSON is only a cache that cannot be read: it must not keep the ledger from being migrated.
update cached_summary
set body = json_remove(json_set(body, '$.input_fingerprint', json_extract(body, '$.look')), '$.look')
where json_valid(body);
alter table runs rename column deliveries_judged to deliveries_validated;
