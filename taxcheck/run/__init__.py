"""The journey of a run: from a request to what was gathered, judged and reported."""
