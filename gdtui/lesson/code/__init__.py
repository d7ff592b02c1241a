"""A variant as code that others can run: a command line, and a plain PyTorch loop."""
