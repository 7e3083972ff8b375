"""Reports for senders and for the duty engineer, and what they need to know."""
