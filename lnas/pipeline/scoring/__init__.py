"""`lnas score`: many architectures measured by estimators, every number kept."""
