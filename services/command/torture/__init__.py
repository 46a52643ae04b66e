"""`hedgestat torture`: real servers and services, broken again and again, and what is left judged."""
