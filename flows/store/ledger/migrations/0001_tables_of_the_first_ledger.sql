-- Every table of a ledger that has no version yet (they are there already), or of a new one.
create table if not exists files (            -- the stat of each raw file when its fingerprint was last taken
    path text primary key, size integer, mtime_ns integer, ctime_ns integer, inode integer, sha256 text, unusable text);
create table if not exists deliveries (
    delivery_id text primary key, body text not null, received_at text not null, run_id text not null);
create table if not exists judged (delivery_id text primary key, judgement_key text not null);
create table if not exists reported (delivery_id text primary key, digest text not null);
create table if not exists told (delivery_id text primary key, body text not null); -- what that report said, in numbers
create table if not exists held (delivery_id text primary key, body text not null); -- and which rows it said are held
create table if not exists runs (
    run_id text primary key, started_at text not null, ended_at text, as_of text not null, result text,
    files_received integer, deliveries_judged integer, code_version text);
create table if not exists standing (look text not null, body text not null); -- what the last night left: one row
