"""Figures as plain dictionaries that plotly draws, shared by the report and the local server's pages.

Nothing here imports numpy or plotly: the server draws with it, too.
"""
