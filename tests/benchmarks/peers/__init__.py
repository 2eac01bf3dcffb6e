"""Indexing and searching beside rclip and clip-retrieval."""
