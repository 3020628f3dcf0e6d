"""The live process, a separate program: encoded frames of all cameras in, viewers served.

`python -m touchline.live`. All work for viewers is done here, apart from the recorders and the API.
"""
