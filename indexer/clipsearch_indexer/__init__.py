"""Sources of pictures into index segments."""
