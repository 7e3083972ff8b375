"""How a run is driven: its stages, worklist and ledger, the no-op run, and Prefect."""
