"""brickfield.blockwise"""
