-- Which deliveries the data team took out of the figures, from which moment on, and until when.
create table withdrawals (
    delivery_id text not null,
    withdrawn_at text not null, -- as the run's moment: ISO, UTC
    reason text not null,
    undone_at text);
