"""Lines and knobs over a picture that can be dragged."""
