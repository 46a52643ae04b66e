"""The report of a study: one HTML file that needs nothing else, to be read or printed."""
