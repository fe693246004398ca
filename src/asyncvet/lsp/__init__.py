"""The editor server: findings as one types, and where functions run, over the Language Server Protocol.

`server` speaks with the editor and never waits for a review; `tracking` lets reviews run in a thread of their own and drops those that are
overtaken; the other modules put what is known into the protocol's words.
"""
