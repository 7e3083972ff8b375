"""What is known of deliveries: their shapes, names, months and corrections, and which of them count."""
