"""The live process, a program of its own: coded frames of all cameras in, viewers served.

`python -m touchline.live`. Whatever viewers do happens here, away from the recorders and the API.
"""
