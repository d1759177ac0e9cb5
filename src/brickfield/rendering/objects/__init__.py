"""Opaque objects beside volumes: points, surfaces and lines.

:mod:`~brickfield.rendering.objects.values` holds what is to be shown, as frozen values
in data order; :class:`~brickfield.rendering.objects.object_set.ObjectSet` makes pygfx
objects of them and keeps them up to date.
"""
