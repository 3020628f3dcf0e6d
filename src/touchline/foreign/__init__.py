"""Reading and displaying external data: files of shared folders, numbers in text, and text.

Standard library only, below every other package: each program of touchline uses it.
"""
