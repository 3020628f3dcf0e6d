"""The trash: deleted matches that can be restored for some days."""
