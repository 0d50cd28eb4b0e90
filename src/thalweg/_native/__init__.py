"""Home of the compiled cores: plain shared libraries, one per instruction set, loaded elsewhere."""
