"""Values and pure rules shared by all parts of the engines half."""
