"""Tables about the pipeline's own work: runs, deliveries, findings, rules, withdrawals."""
