"""Bricks on the graphics device: textures, page table, ray caster."""

from brickfield.gpu.device import prepare

# Before pygfx is imported by anything below: see device.py for the abort that
# a later call could not prevent.
prepare()
