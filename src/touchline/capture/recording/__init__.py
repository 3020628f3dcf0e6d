"""Recorder that starts, follows and stops the recording of one match."""
