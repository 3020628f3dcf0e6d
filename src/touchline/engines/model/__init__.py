"""Values and pure rules that every part of the engines half shares."""
