"""Where engines run. `protocol` says what each promises; a kind is a module and a class."""
