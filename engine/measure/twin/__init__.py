"""A copy of a model in a form that can be differentiated twice, and the memory that this takes."""
