"""`hedgestat study`: what a rule would have done over history, what it cost, if it survives."""
