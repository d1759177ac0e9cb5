"""brickfield.render"""
