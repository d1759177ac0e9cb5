"""Panels below the pictures: how layers look, what is cut away, time, cost.

A panel shows values of others (a layer's port, the scene, a view) and writes to
them; it keeps no copy. While it follows a change it is quiet, so nothing goes in
circles.
"""
