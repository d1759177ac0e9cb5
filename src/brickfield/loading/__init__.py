"""brickfield.loading"""
