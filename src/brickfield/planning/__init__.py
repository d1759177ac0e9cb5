"""brickfield.planning"""
