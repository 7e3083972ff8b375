"""Fast reader of Excel sheets in the XML that office programs write; any other sheet raises NotPlainError."""
