"""Lines and knobs over a picture that the hand can drag."""
