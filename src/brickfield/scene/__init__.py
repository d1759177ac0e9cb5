"""The scene document: what two people must share to see the same."""
