"""Rules that hold for every dataset, and their texts. Only stated here: `flows` checks and applies them."""
