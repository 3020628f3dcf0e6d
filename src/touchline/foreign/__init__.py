"""Reads and shows what others wrote: files of shared folders, numbers in text, and text itself.

Standard library only, below every other package: each program of touchline uses it.
"""
