"""What the pipeline says of its own work. These shapes are also what passes from step to step."""
