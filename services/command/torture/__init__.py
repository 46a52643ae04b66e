"""`hedgestat torture`: real servers and services, broken again and again; the rest is judged."""
