"""brickfield.viewer"""
