"""Which print moves which signals: one source for each kind of symbol (spec 1).

A source is told of the prints of its symbols in the order of the journal, all inside sessions and
never one of an earlier session than the last, and moves its readings.
"""
