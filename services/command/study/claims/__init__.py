"""`hedgestat study claims`: the papers' own figures, held against a history."""
