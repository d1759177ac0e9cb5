"""Storage chunks apart from requests: boxes of them, what is stored, whom they serve."""
