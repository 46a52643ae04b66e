"""`hedgestat study review`: a month of a live journal, as a committee wants to see it."""
