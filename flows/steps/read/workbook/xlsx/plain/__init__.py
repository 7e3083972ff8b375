"""Reading Excel sheets written as office programs write them, a piece of XML at a time."""
