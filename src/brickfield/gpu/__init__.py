"""brickfield.gpu"""
