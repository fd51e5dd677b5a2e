"""`lnas search`: searches by several strategies and judges, repeated, resumable, compared."""
