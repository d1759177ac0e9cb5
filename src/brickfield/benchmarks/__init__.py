"""brickfield.benchmarks"""
