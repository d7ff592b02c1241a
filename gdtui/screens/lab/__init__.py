"""What is measured beside the run: experiments and the sweep."""
