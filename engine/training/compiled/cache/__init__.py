"""The compiled programs of a user, and the folders of the compilers that make them."""
