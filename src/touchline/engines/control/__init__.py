"""Reconciliation (observe, plan, act) and operator requests to the fleet."""
