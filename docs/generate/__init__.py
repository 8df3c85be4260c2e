"""The pages of the documentation that are made from the code each time the site is built.

Each module has ``pages()``, which yields Page values; ``hook.py`` hands them to MkDocs. No such
page is kept in the repository, so that none can be out of date.
"""
