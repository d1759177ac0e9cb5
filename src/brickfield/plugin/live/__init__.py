"""Images that grow, followed in napari while they are acquired."""
