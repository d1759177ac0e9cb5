"""brickfield.testing"""
