"""The record of a loop: losses put together to chunks, and the thread that writes them."""
