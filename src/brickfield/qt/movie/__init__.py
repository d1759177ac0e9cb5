"""The bar that makes movies, and what works behind it."""
