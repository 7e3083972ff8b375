-- Which deliveries were held up beside the others of their site, and from which moment on at first.
create table held_up (
    delivery_id text primary key,
    since text not null); -- the moment of the run (ISO)
