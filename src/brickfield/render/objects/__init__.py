"""Opaque things beside volumes: points, surfaces and lines.

:mod:`~brickfield.render.objects.values` holds what is to be shown, as frozen values
in data order; :class:`~brickfield.render.objects.object_set.ObjectSet` makes pygfx
objects of them and keeps them up to date.
"""
