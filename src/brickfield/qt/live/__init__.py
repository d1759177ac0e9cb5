"""The parts of the dock *Live acquisition* that know nothing of napari."""
