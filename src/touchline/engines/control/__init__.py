"""Reconciliation: observe, plan, act; and what operators ask of the fleet."""
