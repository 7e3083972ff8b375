"""How a run is driven: engine, stages, worklist, and runs that need do nothing."""
