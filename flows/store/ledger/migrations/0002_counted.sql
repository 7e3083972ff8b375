-- Which deliveries counted for a site and dataset, from which moment on: a set of rows for each change.
create table counted (
    site_code text not null, dataset text not null, delivery_id text not null,
    since text not null, -- the moment of the run (ISO)
    run_id text not null);
create index counted_by_dataset on counted (site_code, dataset);
