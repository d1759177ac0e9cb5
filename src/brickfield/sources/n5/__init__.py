"""N5 and neuroglancer precomputed volumes, which tensorstore drivers decode."""
