"""The agents' server: the same findings and explanations over the Model Context Protocol, in answers that fit a context window.

`server` ties the tools to the protocol, `tools` says what each of them answers, and `answers` cuts answers into pages.
"""
