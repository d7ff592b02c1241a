"""What a generation begins with, and what ends it early."""
