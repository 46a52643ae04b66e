"""`hedgestat top`: the picture of the page in a terminal."""
