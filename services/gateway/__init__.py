"""The execution side: a paper venue and the record of what was accepted."""
