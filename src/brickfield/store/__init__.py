"""brickfield.store"""
