"""Reports for senders, and the summary of each run for the duty engineer."""
