"""One statistic a module: fed with numbers and elapsed trading time, ignorant of calendars.

Windows (`session_moves`, the deques of `averages`) and what is computed over them are apart. Each
keeps its own small state: `snapshot()` and `resume(…, state)`.
"""
