"""How long asyncvet takes beside other tools, on published packages: `make bench`."""
