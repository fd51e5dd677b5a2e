"""`lnas export`: a trained network in the forms that other tools load, each reloaded and compared."""
