"""What people look at. The renderers draw it (``taxcheck_reports.pages``), found as all others are.

``values.py`` has what a page shows, ``gather.py`` makes it of what the store knows; the other
modules are the routes.
"""
