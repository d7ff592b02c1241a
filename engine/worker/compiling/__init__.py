"""The compiled step of a worker: when it is wanted, and how it comes in while training goes on."""
