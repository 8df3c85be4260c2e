"""The server: where a team keeps, compares and looks at its runs.

    store/     the database and the files: what is known, and how it is asked for
    web/       who is let in, what is refused, and how that is said
    api/       REST, under /api/v1: requests in, values of the store out
    pages/     what people look at; drawn by the renderers, as reports are
    worker/    jobs: gate, audit, build and the plan of a repair, each in a child process

``settings.py`` says how a server is set up, ``access.py`` who may do what, ``application.py`` puts
all of it together, and ``serving.py`` runs it.
"""
