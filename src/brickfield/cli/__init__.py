"""brickfield.cli"""
