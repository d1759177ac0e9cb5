"""Threads, queue, RAM cache and progress: from wanted chunks to loaded ones."""
